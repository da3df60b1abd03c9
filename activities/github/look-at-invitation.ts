import { branchName, taskNoteFile } from '../../domain/ids.ts';
import { formatProblems, parseTaskNote, type TaskNoteText } from '../../domain/task-note-text.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import type { PullRequestSight } from '../../infra/github/conversation-calls.ts';
import type { Invitation, LookAtInvitationInput } from './conversation.ts';

/**
 * Whether a pull request may start an experiment. Nothing that a webhook or a person at a terminal said of it is believed:
 * it must be open, of the repository itself, by a person who may write there now, with a valid task note at its head.
 */
export async function lookAtInvitation(
  github: GithubClient,
  { repository, number }: LookAtInvitationInput,
): Promise<Invitation> {
  const sight = await github.seePullRequest(repository, number);
  const stranger = await whyNobodyMay(github, repository, sight);
  if (stranger !== null) return none(stranger);
  const text = await github.readFile(repository, taskNoteFile, sight.headSha);
  if (text === null) return none(`it has no ${taskNoteFile} at its head ${sight.headSha.slice(0, 12)}`);
  const read = parseTaskNote(text);
  if (read.status === 'invalid')
    return none(`its ${taskNoteFile} is not valid:\n${formatProblems(read.problems)}`);
  const misfit = whyNoteDoesNotFit(read, repository, sight);
  if (misfit !== null) return none(misfit);
  return {
    status: 'welcome',
    by: sight.author.login,
    draft: sight.draft,
    source: {
      kind: 'pull-request',
      note: read.note,
      body: read.body,
      pullRequest: { number, url: sight.url },
      branch: sight.headBranch,
    },
  };
}

async function whyNobodyMay(
  github: GithubClient,
  repository: string,
  { state, headRepository, headBranch, author }: PullRequestSight,
): Promise<string | null> {
  if (state !== 'open') return `it is ${state}`;
  if (headRepository?.toLowerCase() !== repository.toLowerCase()) {
    return `its head is in ${headRepository ?? 'a repository that is gone'}: nothing from a fork starts an experiment`;
  }
  if (headBranch.startsWith(branchName(''))) return `its branch ${headBranch} is an experiment's own`;
  if (author.isBot) return `its author ${author.login} is a bot`;
  if (await github.mayWrite(repository, author.login)) return null;
  return `its author ${author.login} has no write permission to ${repository}`;
}

function whyNoteDoesNotFit(
  { note }: TaskNoteText,
  repository: string,
  { base }: PullRequestSight,
): string | null {
  if (note.repository.toLowerCase() !== repository.toLowerCase()) {
    return `its ${taskNoteFile} is about ${note.repository}, and the pull request is in ${repository}`;
  }
  if (note.base !== base) {
    return `its ${taskNoteFile} is about the branch ${note.base}, and the pull request goes to ${base}`;
  }
  return null;
}

function none(why: string): Invitation {
  return { status: 'none', why };
}
