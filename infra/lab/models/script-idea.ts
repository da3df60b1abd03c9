import { formatTaskNote } from '../../../domain/task-note-text.ts';
import type { TaskNote } from '../../../domain/task-note.ts';
import type { ModelsScript, ScriptRequest, ScriptedChange, ScriptedEdit } from './script.ts';

/** What one idea needs to be played: the plan that comes of it and the change that carries it out. */
export interface ScriptedIdea {
  readonly note: TaskNote;
  readonly body: string;
  readonly edits: readonly ScriptedEdit[];
  readonly newFiles: readonly { readonly path: string; readonly content: string }[];
  readonly summary: string;
}

/**
 * Plays an idea, for any experiment: id, repository and base are taken from the prompt. Repairs and revisions, which
 * no script can know, leave a comment in the first file of the change.
 */
export function scriptIdea(idea: ScriptedIdea): ModelsScript {
  return {
    plan: (request) => planText(idea, request),
    implement: (request) => (request.round === 0 ? firstChange(idea) : laterChange(idea, request)),
    note: noteText,
  };
}

function planText({ note, body }: ScriptedIdea, request: ScriptRequest): string {
  const { experimentId: id, repository, base } = request;
  return formatTaskNote({ note: { ...note, id, repository, base }, body });
}

function firstChange({ edits, newFiles, summary }: ScriptedIdea): ScriptedChange {
  const files = newFiles.map(({ path, content }) => ({ path, newText: content }));
  return { edits: [...edits, ...files], summary };
}

function laterChange({ edits, newFiles }: ScriptedIdea, { round }: ScriptRequest): ScriptedChange {
  const path = edits[0]?.path ?? newFiles[0]?.path ?? 'README.md';
  return {
    edits: [],
    shell: `printf '\\n# Round ${round}: looked at again after the review.\\n' >> '${path}'`,
    summary: `Looked at ${path} again and said so in a comment.`,
  };
}

/** Words without a number, so that they hold for any facts. */
function noteText({ prompt }: ScriptRequest): string {
  const verdict = /^- verdict: (.+)$/m.exec(prompt)?.[1] ?? 'unmeasured';
  const claims: Readonly<Record<string, string>> = {
    better: 'The change improves the metric by more than the noise between seeds at equal compute.',
    worse: 'The change makes the metric worse by more than the noise between seeds.',
    'inside-noise': 'The change makes no difference that the noise between seeds would let one see.',
  };
  const claim = claims[verdict];
  return JSON.stringify({
    claim: claim ?? 'The experiment ended before it could settle its hypothesis.',
    reading:
      claim === undefined
        ? 'There is no comparison to read, so the hypothesis stands neither better nor worse than before.'
        : 'The table settles the question that the experiment was made for, in the direction it shows. The decision rests on the table and not on this text.',
    limits: 'One data set, one size of model and few seeds: nothing is said about others.',
    next: 'Repeat it with more seeds, then on a larger model.',
  });
}
