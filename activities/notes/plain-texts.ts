import type { NoteFacts } from '../../domain/note.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { NoteTexts } from './note-texts.ts';

/** Claim, Reading, Limits and Next from the facts alone, in sentences that cannot say more than these. */
export function plainTexts(facts: NoteFacts): NoteTexts {
  const { evidence, task } = facts;
  return {
    claim: noteTitle(facts),
    reading:
      evidence === null
        ? `There is no result to read${facts.failure === null ? '' : `: ${oneLine(facts.failure)}`}.`
        : evidence.verdict.sentence,
    limits: `The result holds for ${task.repository} with the configuration of this experiment; nothing is said about others.`,
    next: nextSteps[evidence?.verdict.status ?? 'unmeasured'],
  };
}

/** A full statement of what was found: what was expected, and before it where that did not come true. */
export function noteTitle({ evidence, task }: NoteFacts): string {
  return `${prefixes[evidence?.verdict.status ?? 'unmeasured']}${oneLine(task.title)}`;
}

const prefixes: Readonly<Record<Verdict['status'], string>> = {
  better: '',
  worse: 'Not confirmed, it got worse: ',
  'inside-noise': 'Not confirmed, inside noise: ',
  'cannot-tell': 'Not settled, noise is unknown: ',
  'no-baseline': 'Measured without a baseline: ',
  unmeasured: 'Not settled: ',
};

const nextSteps: Readonly<Record<Verdict['status'], string>> = {
  better: 'Repeat it with more seeds, and at a larger scale.',
  worse: 'Find out why before trying a variation.',
  'inside-noise': 'More seeds would tell whether there is a small effect.',
  'cannot-tell': 'Run it again with at least three seeds on each side.',
  'no-baseline': 'Run the baseline under the same conditions.',
  unmeasured: 'Mend what stopped it, then run it again.',
};

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
