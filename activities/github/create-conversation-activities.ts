import { activityInfo, heartbeat } from '@temporalio/activity';
import { z } from 'zod';

import type { FailureType } from '../../domain/failure.ts';
import { listenInterval } from '../../domain/listen-interval.ts';
import { Failure } from '../../infra/failure.ts';
import type { PullRequestSight } from '../../infra/github/conversation-calls.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import { guardActivities } from '../boundary.ts';
import type { AwaitWordsInput, ConversationActivities, HeardWords } from './conversation.ts';
import { hearWords } from './hear-words.ts';
import { lookAtInvitation } from './look-at-invitation.ts';

export interface ConversationDeps {
  readonly github: GithubClient;
}

/** A right that was taken away comes back: nothing said in between is lost. */
const forbiddenPauseMs = 10 * 60_000;
const waitedOut: readonly FailureType[] = ['GithubUnauthorized', 'GithubForbidden', 'GithubNotFound'];

/** What people say below a pull request, in the control zone, which alone holds a credential of GitHub's API. */
export function createConversationActivities({ github }: ConversationDeps): ConversationActivities {
  return guardActivities<ConversationActivities>({
    async awaitWords(input) {
      const memory = createMemory();
      const heard = await waitingOut(input, () => lookOnce(github, input, memory, Date.now()));
      if (heard !== null) return heard;
      throw new Failure('NothingSaid', `nothing new was said in ${input.repository}#${input.number}`, {
        retryAfterMs: listenInterval({
          quietMs: Date.now() - input.quietSince,
          baseMs: input.pollSeconds * 1000,
          random: Math.random(),
        }),
      });
    },

    async answerWord({ repository, commentId, answer }) {
      await github.addReaction(repository, commentId, reactions[answer]);
    },

    lookAtInvitation: (input) => lookAtInvitation(github, input),
  });
}

const reactions = { taken: 'rocket', told: 'eyes', refused: '-1' } as const;

/** The fingerprint of the pull request after which the comments need not be listed again. */
export interface LookMemory {
  readonly last: string | null;
  keep(fingerprint: string): void;
}

/** GitHub's copies may lag: what moved so lately is listed once more, also when nothing seems to have moved since. */
const settledMs = 2 * 60_000;

/**
 * One look; null when nothing is new. While nothing moves it is one question, answered 304: every comment moves the pull
 * request's own time of change. Exported for whoever counts the questions.
 */
export async function lookOnce(
  github: GithubClient,
  input: AwaitWordsInput,
  memory: LookMemory,
  now: number,
): Promise<HeardWords | null> {
  const { repository, number, cursor, once } = input;
  const sight = await github.seePullRequest(repository, number);
  const fingerprint = fingerprintOf(sight);
  if (memory.last === fingerprint && !once) return null;
  const heard = await hearWords(github, input);
  const isNew = heard.words.length > 0 || sight.state !== cursor.state;
  if (isNew || once) {
    return { words: heard.words, cursor: { ...heard.cursor, state: sight.state }, headSha: sight.headSha };
  }
  if (now - Date.parse(sight.updatedAt) > settledMs) memory.keep(fingerprint);
  return null;
}

function fingerprintOf({ state, headSha, updatedAt }: PullRequestSight): string {
  return `${state} ${headSha} ${updatedAt}`;
}

/** Kept with the waiting activity, so that a worker that dies forgets nothing but one look. */
function createMemory(): LookMemory {
  return {
    last: z.string().safeParse(activityInfo().heartbeatDetails).data ?? null,
    keep: (fingerprint) => heartbeat(fingerprint),
  };
}

/** Listening goes on after a person has mended the credential; who looks at the experiment sees what is tried again. */
async function waitingOut<T>({ once }: AwaitWordsInput, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (once || !(error instanceof Failure) || !waitedOut.includes(error.type)) throw error;
    throw new Failure(error.type, error.message, {
      cause: error.cause,
      retry: true,
      retryAfterMs: error.retryAfterMs ?? forbiddenPauseMs,
    });
  }
}
