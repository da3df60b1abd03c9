import type { HeardWord } from '../../domain/command.ts';
import type { ExperimentSource } from '../../domain/experiment.ts';

/** How far the comments of a pull request have been heard; plain data, kept by the workflow. */
export interface WordCursor {
  /** Comments written earlier have been heard or are of an earlier life: ISO 8601, by GitHub's clock. */
  readonly since: string;
  /** Ids of the comments with a word since then that were heard. */
  readonly known: readonly number[];
  /** The state of the pull request that the workflow knows of. */
  readonly state: 'open' | 'closed' | 'merged';
  /** Words of people without write permission that are still answered: strangers must not fill a history. */
  readonly strangersLeft: number;
}

export interface AwaitWordsInput {
  readonly experimentId: string;
  readonly repository: string;
  readonly number: number;
  readonly cursor: WordCursor;
  /** Since when nothing happened, ms since the epoch: the longer, the less often is looked. */
  readonly quietSince: number;
  readonly pollSeconds: number;
  /** Looks once and returns what there is, were it nothing. */
  readonly once: boolean;
}

export interface HeardWords {
  /** In the order in which they were written. */
  readonly words: readonly HeardWord[];
  readonly cursor: WordCursor;
  readonly headSha: string;
}

export interface AnswerWordInput {
  readonly repository: string;
  readonly commentId: number;
  readonly answer: 'taken' | 'refused' | 'told';
}

export interface LookAtInvitationInput {
  readonly repository: string;
  readonly number: number;
}

/** Whether a pull request may start an experiment, and of what. */
export type Invitation =
  | {
      readonly status: 'welcome';
      readonly by: string;
      readonly draft: boolean;
      readonly source: ExperimentSource & { readonly kind: 'pull-request' };
    }
  | { readonly status: 'none'; readonly why: string };

/** Queue `github`, control zone: what people say below a pull request. The zone that holds GitHub's credential decides who may. */
export interface ConversationActivities {
  /** Fails benignly (`NothingSaid`) while there is no new word and the pull request is as known. */
  awaitWords(input: AwaitWordsInput): Promise<HeardWords>;
  /** The reaction below a comment; a comment that is gone needs none. */
  answerWord(input: AnswerWordInput): Promise<void>;
  /** Reads a pull request that may start an experiment: its author, its origin, its task note. */
  lookAtInvitation(input: LookAtInvitationInput): Promise<Invitation>;
}
