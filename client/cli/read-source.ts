import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import type { ExperimentSource } from '../../domain/experiment.ts';
import { formatProblems, parseTaskNote } from '../../domain/task-note-text.ts';
import { UsageError } from './cli-errors.ts';

export interface SourceOptions {
  readonly idea?: string;
  readonly repo?: string;
  readonly base?: string;
  readonly id?: string;
  readonly pr?: string;
}

export interface ReadSource {
  readonly id: string;
  readonly source: ExperimentSource;
}

const idPattern = /^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/;

/** What is to be started: the task note at `path`, or the idea. Throws `UsageError` with everything that is wrong. */
export async function readSource(path: string | undefined, options: SourceOptions): Promise<ReadSource> {
  if (path !== undefined) {
    const extra = (['idea', 'repo', 'base', 'id'] as const).filter((name) => options[name] !== undefined);
    if (extra.length > 0) {
      const flags = extra.map((name) => `--${name}`).join(', ');
      throw new UsageError(`${flags} beside a task note: the note says it all; give one of the two.`);
    }
    return readNote(path);
  }
  if (options.idea === undefined || options.idea.trim() === '') {
    throw new UsageError(
      'Nothing to start: give a task note, --pr owner/name#n, or --idea "…" with --repo owner/name.',
    );
  }
  return readIdea(options.idea.trim(), options);
}

/** The pull request that `--pr` names; null without it. Throws `UsageError`. */
export function readPullRequest(
  path: string | undefined,
  options: SourceOptions,
): { readonly repository: string; readonly number: number } | null {
  if (options.pr === undefined) return null;
  const extra = (['idea', 'repo', 'base', 'id'] as const).filter((name) => options[name] !== undefined);
  if (path !== undefined || extra.length > 0) {
    throw new UsageError('--pr stands alone: the pull request has the task note.');
  }
  const [, repository, number] =
    /^(?:https?:\/\/[^/]+\/)?([\w.-]+\/[\w.-]+)(?:#|\/pull\/)(\d{1,9})\/?$/.exec(options.pr) ?? [];
  if (repository !== undefined) return { repository, number: Number(number) };
  throw new UsageError(`--pr is "${options.pr}": expected owner/name#n, or the address of a pull request.`);
}

async function readNote(path: string): Promise<ReadSource> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`The task note ${path} cannot be read (${code}): expected a Markdown file.`);
  }
  const result = parseTaskNote(text);
  if (result.status === 'valid') {
    return { id: result.note.id, source: { kind: 'note', note: result.note, body: result.body } };
  }
  const message = `The task note ${path} is not valid, nothing was started:\n${formatProblems(result.problems)}`;
  throw new UsageError(message, result.problems);
}

function readIdea(idea: string, { repo, base = 'main', id = idOf(idea) }: SourceOptions): ReadSource {
  const problems: string[] = [];
  if (repo === undefined) problems.push('--repo is missing: expected owner/name');
  else if (!/^[\w.-]+\/[\w.-]+$/.test(repo)) problems.push(`--repo is "${repo}": expected owner/name`);
  if (!idPattern.test(id)) problems.push(`--id is "${id}": expected 3 to 50 of a-z, 0-9 and "-"`);
  if (base.trim() === '') problems.push('--base is empty: expected a branch');
  if (problems.length > 0 || repo === undefined) throw new UsageError(problems.join('\n'));
  return { id, source: { kind: 'idea', idea, repository: repo, base } };
}

/** The same idea gives the same id, so that starting it twice attaches. An idea without Latin letters gets a digest. */
function idOf(idea: string): string {
  const words = idea.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  let id = '';
  for (const word of words) {
    const longer = id === '' ? word : `${id}-${word}`;
    if (longer.length > 40) break;
    id = longer;
  }
  return id.length >= 3 ? id : `idea-${createHash('sha256').update(idea).digest('hex').slice(0, 8)}`;
}
