import type { NoteFacts } from '../../domain/note.ts';
import { type AgentWatch, whileBeating } from '../../infra/agents/while-beating.ts';
import { guardActivities } from '../boundary.ts';
import type { NotesActivities, WrittenNote } from './interface.ts';
import { writeTexts } from './write-texts.ts';
import type { NotesDeps } from './notes-deps.ts';
import { noteFrontMatter, noteStem, renderNote } from './render-note.ts';
import { type Vault, withVault } from './vault.ts';

/** The activities of the queue `planning` that write permanent notes. */
export function createNotesActivities(deps: NotesDeps): NotesActivities {
  return guardActivities<NotesActivities>({
    writeNote: (facts) => whileBeating((watch) => writeNote(deps, facts, watch)),
  });
}

async function writeNote(deps: NotesDeps, facts: NoteFacts, watch: AgentWatch): Promise<WrittenNote> {
  const path = `${noteStem(facts)}.md`;
  const message = `Note ${facts.experimentId}: ${facts.outcome}`;
  const written = await withVault(deps, watch.signal, (vault) => isWritten(vault, facts));
  if (written) {
    const commit = await withVault(deps, watch.signal, (vault) => vault.publish(path, message));
    return { path, commit, tokens: 0 };
  }
  // Outside the lock: a model may take minutes, and two notes may be written at once.
  const authored = await writeTexts(deps, facts, watch);
  const commit = await withVault(deps, watch.signal, async (vault) => {
    const parent = await parentOf(vault, facts);
    await vault.write(path, renderNote(facts, authored, noteFrontMatter(facts, parent), parent));
    return vault.publish(path, message);
  });
  return { path, commit, tokens: authored.tokens };
}

/** A repeat finds its own file by its front matter, and leaves it as it is: by now a person may have written in it. */
async function isWritten(vault: Vault, facts: NoteFacts): Promise<boolean> {
  const text = await vault.read(`${noteStem(facts)}.md`);
  const frontMatter = noteFrontMatter(facts, await parentOf(vault, facts));
  return text?.startsWith(`---\n${frontMatter}---\n`) ?? false;
}

/** The newest note about the experiment that this one was compared with, written before this one began. */
async function parentOf(vault: Vault, facts: NoteFacts): Promise<string | null> {
  const { baseline } = facts.task;
  if (baseline === null || !('experiment' in baseline)) return null;
  const own = noteStem(facts);
  const stems = await vault.notesOf(baseline.experiment);
  return stems.findLast((stem) => stem < own) ?? null;
}
