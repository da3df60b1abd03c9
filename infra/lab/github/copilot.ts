import { git } from './git.ts';
import type { Lab } from './lab.ts';
import { addReview } from './reviews.ts';
import type { LabPull, LabRepository } from './state.ts';

export const copilotLogin = 'copilot-pull-request-reviewer[bot]';

interface CopilotReview {
  readonly body: string;
  readonly comments: readonly { readonly path: string; readonly line: number; readonly body: string }[];
}

/** What Copilot says of a diff; `round` counts its reviews of the pull request from 1. */
export type CopilotScript = (
  diff: string,
  headSha: string,
  round: number,
) => CopilotReview | Promise<CopilotReview>;

export const nothingToSay: CopilotScript = () => ({
  body: '## Pull request overview\n\nCopilot reviewed the changed files in this pull request and generated no new comments.',
  comments: [],
});

export interface CopilotOptions {
  readonly script: CopilotScript;
  readonly delayMs: number;
}

export interface Copilot {
  request(repository: LabRepository, pull: LabPull): void;
  close(): Promise<void>;
}

/** Copilot's own words when it breaks down. */
async function ask(
  ...[script, diff, headSha, round]: [CopilotScript, string, string, number]
): Promise<CopilotReview> {
  try {
    return await script(diff, headSha, round);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const body = `Copilot encountered an error and was unable to review this pull request. (${reason})`;
    return { body, comments: [] };
  }
}

/** Reviews what it is asked to after a moment; what was asked for before a restart is not forgotten. */
export function startCopilot(lab: Lab, { script, delayMs }: CopilotOptions): Copilot {
  const timers = new Set<NodeJS.Timeout>();
  const working = new Set<Promise<void>>();

  const review = async (repository: LabRepository, pull: LabPull): Promise<void> => {
    if (pull.state !== 'open' || !pull.requestedReviewers.includes(copilotLogin)) return;
    const { headSha } = pull;
    const round = pull.reviews.filter(({ author }) => author === copilotLogin).length + 1;
    const diff = await git(lab.folder(repository), ['diff', `${pull.baseRef}...${headSha}`]);
    const said = await ask(script, diff, headSha, round);
    pull.requestedReviewers = pull.requestedReviewers.filter((login) => login !== copilotLogin);
    addReview(lab, repository, pull, {
      author: copilotLogin,
      state: 'COMMENTED',
      body: said.body,
      commitId: headSha,
      comments: said.comments,
    });
    lab.save();
    await lab.saved();
  };

  const request = (repository: LabRepository, pull: LabPull): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      const work = review(repository, pull).finally(() => working.delete(work));
      working.add(work);
    }, delayMs);
    timers.add(timer);
  };

  for (const repository of lab.state.repositories) {
    for (const pull of repository.pulls) {
      if (pull.requestedReviewers.includes(copilotLogin)) request(repository, pull);
    }
  }
  return {
    request,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(working);
    },
  };
}
