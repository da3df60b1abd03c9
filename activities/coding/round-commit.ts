import { maskSecrets } from '../../infra/agents/mask-secrets.ts';
import { committer, committerEnvironment } from '../../infra/git/committer.ts';
import { git, type GitCall } from '../../infra/git/run-git.ts';
import type { ImplementInput } from './interface.ts';

/** What a commit says of the round that it is the result of. */
export interface RoundCommit {
  readonly sha: string;
  readonly parent: string;
  readonly experimentId: string;
  readonly round: number;
  readonly tokens: number;
  readonly summary: string;
}

const trailers = {
  experiment: 'Hephaestus-Experiment',
  round: 'Hephaestus-Round',
  tokens: 'Hephaestus-Tokens',
};

/** Reads a commit's trailers; null for one that is not the worker's own result of a round. */
export async function readRoundCommit(sha: string, call: GitCall): Promise<RoundCommit | null> {
  const values = Object.values(trailers).map((key) => `%(trailers:key=${key},valueonly,separator=%x20)`);
  const format = ['%H', '%P', '%ce', ...values, '%b'].join('%x00');
  const text = await git(['show', '-s', `--format=${format}`, sha], call);
  const [found = '', parents = '', email = '', experimentId = '', round = '', tokens = '', body = ''] =
    text.split('\0');
  if (email !== committer.email || !/^\d+$/.test(round) || parents.includes(' ')) return null;
  return {
    sha: found,
    parent: parents,
    experimentId,
    round: Number(round),
    tokens: Number(tokens) || 0,
    summary: body.slice(0, Math.max(0, body.lastIndexOf(`\n${trailers.experiment}: `))).trim(),
  };
}

/** The commit of a round among those from `base` to `head`, first parents only. */
export async function findRound(
  base: string,
  head: string,
  input: ImplementInput,
  call: GitCall,
): Promise<RoundCommit | null> {
  if (base === head) return null;
  const shas = await git(['rev-list', '--first-parent', `${base}..${head}`], call);
  for (const sha of shas.split('\n').filter((line) => line !== '')) {
    const commit = await readRoundCommit(sha, call);
    if (commit?.round === input.round && commit.experimentId === input.experimentId) return commit;
  }
  return null;
}

export interface NewRound {
  readonly tree: string;
  readonly parent: string;
  readonly summary: string;
  readonly tokens: number;
  readonly secrets: readonly string[];
}

/** Makes the commit object of a round; no branch points to it yet. */
export function commitRound(input: ImplementInput, round: NewRound, call: GitCall): Promise<string> {
  const title = input.round === 0 ? input.note.title : `Round ${input.round}: ${input.note.title}`;
  const message = [
    title.replaceAll(/\s+/g, ' ').trim(),
    '',
    maskSecrets(round.secrets)(round.summary.trim()),
    '',
    `${trailers.experiment}: ${input.experimentId}`,
    `${trailers.round}: ${input.round}`,
    `${trailers.tokens}: ${round.tokens}`,
    '',
  ].join('\n');
  return git(['commit-tree', round.tree, '-p', round.parent, '-F', '-'], {
    ...call,
    input: message,
    extraEnvironment: committerEnvironment,
  });
}
