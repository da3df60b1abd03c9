/** What a person can say in a comment on the pull request, after `/hephaestus`. */
export type Command =
  | { readonly kind: 'merge'; readonly head: string | undefined }
  | { readonly kind: 'reject' | 'stop'; readonly reason: string | undefined }
  | { readonly kind: 'revise'; readonly instructions: string }
  | { readonly kind: 'rerun'; readonly seeds: readonly number[] | undefined }
  | { readonly kind: 'approve-quality'; readonly reason: string }
  | { readonly kind: 'status' };

/** In the order in which they are told to people. */
export const commandKinds = [
  'merge',
  'reject',
  'revise',
  'rerun',
  'stop',
  'status',
  'approve-quality',
] as const satisfies readonly Command['kind'][];

/** What a comment says to Hephaestus: one command, or something that nobody can obey, with the reason for its author. */
export type Word =
  | { readonly status: 'command'; readonly command: Command }
  | { readonly status: 'unclear'; readonly said: string; readonly why: string };

/** A word that was heard in a comment, before it is judged. Times: ISO 8601, UTC, by GitHub's clock. */
export interface HeardWord {
  readonly commentId: number;
  readonly url: string;
  readonly by: string;
  readonly writtenAt: string;
  readonly word: Word;
}

/** A word and what became of it, as people are shown. */
export interface AnsweredWord {
  readonly commentId: number;
  readonly url: string;
  readonly by: string;
  readonly writtenAt: string;
  /** The command's name, or the beginning of what was written instead of one. */
  readonly said: string;
  readonly answer: 'taken' | 'refused';
  /** What followed, or why nothing did. */
  readonly why: string;
}
