import type { HeardWord } from './command.ts';
import type { QualityRequest } from './decide-quality.ts';
import type { DecisionRequest } from './decision.ts';
import type { Evidence } from './evidence.ts';

/** What the sticky comment asked for, since when: ISO 8601, by GitHub's clock, like the times of comments. */
export interface Shown {
  readonly about: string;
  readonly at: string;
}

export interface WordContext {
  /** What there is to decide on now; null while nothing is. */
  readonly asked: string | null;
  readonly shown: Shown | null;
  readonly evidence: Evidence | null;
  /** The commit that the gate is about. */
  readonly headSha: string | null;
}

export type WordAnswer =
  | { readonly status: 'decide'; readonly request: DecisionRequest }
  | { readonly status: 'override'; readonly request: QualityRequest }
  | { readonly status: 'tell' }
  | { readonly status: 'refuse'; readonly why: string };

/**
 * What a word in a comment means. It is about what the sticky comment showed when it was written: when what is asked now
 * was shown only later, the word is void, however late it is read.
 */
export function decideWord({ by, writtenAt, word }: HeardWord, context: WordContext): WordAnswer {
  if (word.status === 'unclear') return { status: 'refuse', why: word.why };
  const { command } = word;
  if (command.kind === 'status') return { status: 'tell' };
  if (command.kind === 'stop') {
    return { status: 'decide', request: { kind: 'stop', by, reason: command.reason } };
  }
  const late = whyVoid(writtenAt, context);
  if (late !== null) return { status: 'refuse', why: late };
  const bound = { by, head: context.evidence?.headSha, attempt: context.evidence?.attempt };
  switch (command.kind) {
    case 'merge':
      return { status: 'decide', request: { ...bound, kind: 'merge', head: command.head ?? bound.head } };
    case 'reject':
      return { status: 'decide', request: { ...bound, kind: 'reject', reason: command.reason } };
    case 'revise':
      return { status: 'decide', request: { ...bound, kind: 'revise', instructions: command.instructions } };
    case 'rerun':
      return { status: 'decide', request: { ...bound, kind: 'rerun', seeds: command.seeds } };
    case 'approve-quality': {
      const head = context.headSha ?? undefined;
      return { status: 'override', request: { by, verdict: 'pass', reason: command.reason, head } };
    }
  }
}

/** null when the word is about what is asked now, or nothing is: then the phase alone judges it. */
function whyVoid(writtenAt: string, { asked, shown }: WordContext): string | null {
  if (asked === null) return null;
  if (shown === null || shown.about !== asked) {
    return 'what there is to decide on now is not shown in this comment yet: wait for it, then say it again';
  }
  if (Date.parse(writtenAt) >= Date.parse(shown.at)) return null;
  const since = `${shown.at.slice(0, 19).replace('T', ' ')} UTC`;
  return `it was written before what is shown now (since ${since}): look at it, then say it again`;
}
