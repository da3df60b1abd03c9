import { CancellationScope, condition, isCancellation, log, sleep } from '@temporalio/workflow';

import type { AnsweredWord, HeardWord } from '../domain/command.ts';
import { decideWord } from '../domain/decide-word.ts';
import type { DecisionKind, DecisionRequest } from '../domain/decision.ts';
import type { HeardWords } from '../activities/github/conversation.ts';
import { conversation, reply } from './activities.ts';
import { repositoryOf, type Experiment } from './experiment-state.ts';
import { namedFailure, tried } from './failures.ts';
import { pullRequestOf } from './plan-and-code.ts';
import { askedOf, comment } from './report.ts';
import { first } from './scopes.ts';
import { accept, acceptQuality, judge, judgeQuality } from './take-decision.ts';

/** Words that are shown; the rest can be read where they were said. */
const shownWords = 20;
const pauseAfterTrouble = '10 minutes';

/**
 * Hears what people say below the pull request, for as long as the experiment goes on: each word is judged once, in the
 * order in which it was written, and answered. What was heard is in the history before anything is answered, so that a
 * worker that dies in between answers again and obeys no second time.
 */
export async function hear(experiment: Experiment, stop: () => void): Promise<void> {
  await condition(() => experiment.pullRequest !== null);
  for (;;) {
    try {
      const heard = await nextWords(experiment);
      const before = experiment.cursor.state;
      experiment.cursor = heard.cursor;
      await answerAll(experiment, heard.words, stop);
      if (heard.cursor.state !== before) await closedByHand(experiment, heard, stop);
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('listening to the pull request failed, it goes on later', { ...namedFailure(error) });
      await sleep(pauseAfterTrouble, { summary: 'before the pull request is listened to again' });
    }
  }
}

/** One last look when the end has come: whoever spoke in the meantime is told that it was too late. */
export async function hearLast(experiment: Experiment): Promise<void> {
  if (experiment.pullRequest === null) return;
  await tried('a last look at what was said', async () => {
    const heard = await askWords(experiment, true);
    experiment.cursor = heard.cursor;
    for (const word of heard.words) await answer(experiment, word, () => undefined);
  });
}

/** The next words: when the poll finds them, or at once when a webhook says so. What is newly asked is listened for at once. */
async function nextWords(experiment: Experiment): Promise<HeardWords> {
  for (;;) {
    const { conversationNudges } = experiment;
    const asked = experiment.shown?.about;
    const heard = await first<HeardWords | null>([
      () => askWords(experiment, false),
      () =>
        condition(
          () => experiment.conversationNudges !== conversationNudges || experiment.shown?.about !== asked,
        ).then(() => null),
    ]);
    if (heard !== null) return heard;
  }
}

function askWords(experiment: Experiment, once: boolean): Promise<HeardWords> {
  return conversation.awaitWords.executeWithOptions(
    {
      summary: once ? 'a last look at what was said' : 'listens to the pull request',
      ...(once && { scheduleToCloseTimeout: '5 minutes' }),
    },
    [
      {
        experimentId: experiment.input.id,
        repository: repositoryOf(experiment),
        number: pullRequestOf(experiment).number,
        cursor: experiment.cursor,
        quietSince: Date.now(),
        pollSeconds: experiment.input.policy.githubPollSeconds,
        once,
      },
    ],
  );
}

/** Also when a word ends the way: its author is answered all the same. */
async function answerAll(
  experiment: Experiment,
  words: readonly HeardWord[],
  stop: () => void,
): Promise<void> {
  if (words.length === 0) return;
  await CancellationScope.nonCancellable(async () => {
    for (const word of words) await answer(experiment, word, stop);
    await comment(experiment);
  });
}

async function answer(experiment: Experiment, heard: HeardWord, stop: () => void): Promise<void> {
  const { commentId, url, by, writtenAt, word } = heard;
  const said = word.status === 'command' ? word.command.kind : word.said;
  const result = take(experiment, heard, stop);
  experiment.said.push({ commentId, url, by, writtenAt, said, ...result });
  if (experiment.said.length > shownWords) experiment.said.shift();
  const told = result.answer === 'taken' && said === 'status';
  await tried('the reaction', () =>
    reply.answerWord.executeWithOptions({ summary: `answers ${by}: ${said} ${result.answer}` }, [
      { repository: repositoryOf(experiment), commentId, answer: told ? 'told' : result.answer },
    ]),
  );
}

/** Judges a word, and does what it says where it is taken. */
function take(
  experiment: Experiment,
  heard: HeardWord,
  stop: () => void,
): Pick<AnsweredWord, 'answer' | 'why'> {
  const { evidence, shown, implementation } = experiment;
  const context = {
    asked: askedOf(experiment),
    shown,
    evidence,
    headSha: implementation?.headSha ?? null,
  };
  const meant = decideWord(heard, context);
  switch (meant.status) {
    case 'refuse':
      return { answer: 'refused', why: meant.why };
    case 'tell':
      return { answer: 'taken', why: 'this comment is as of now' };
    case 'decide': {
      const judged = judge(experiment, meant.request);
      if (judged.status === 'refuse') return { answer: 'refused', why: judged.why };
      accept(experiment, meant.request, stop);
      return { answer: 'taken', why: followsOf(meant.request.kind) };
    }
    case 'override': {
      const judged = judgeQuality(experiment, meant.request);
      if (judged.status === 'refuse') return { answer: 'refused', why: judged.why };
      acceptQuality(experiment, meant.request);
      return { answer: 'taken', why: `the gate passes on this word: ${meant.request.reason}` };
    }
  }
}

function followsOf(kind: DecisionKind): string {
  switch (kind) {
    case 'merge':
      return 'what is shown is being merged';
    case 'reject':
      return 'it is closed without a merge';
    case 'revise':
      return 'the change is worked on again';
    case 'rerun':
      return 'a new attempt is made';
    case 'stop':
      return 'it is being stopped, its jobs too';
  }
}

/**
 * Somebody with the right to it closed or merged the pull request on GitHub: that is a word too. While another decision is
 * being carried out it waits for what comes of that.
 */
async function closedByHand(
  experiment: Experiment,
  { cursor, headSha }: HeardWords,
  stop: () => void,
): Promise<void> {
  if (cursor.state === 'open') return;
  await condition(() => experiment.decision === null);
  const shown = experiment.phase === 'deciding' && experiment.evidence?.headSha === headSha;
  const merged = cursor.state === 'merged';
  const what = merged ? 'merged by hand before it was decided on' : 'closed by hand';
  const request: DecisionRequest =
    merged && shown
      ? { kind: 'merge', by: 'somebody on GitHub', head: headSha, reason: 'merged by hand' }
      : { kind: 'stop', by: 'somebody on GitHub', reason: `the pull request was ${what}` };
  if (judge(experiment, request).status === 'accept') accept(experiment, request, stop);
}
