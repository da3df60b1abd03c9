import type { NoteFacts } from '../../domain/note.ts';
import { type AgentWatch, whileBeating } from '../../infra/agents/while-beating.ts';
import { guardActivities } from '../boundary.ts';
import type { NotesActivities, WrittenNote } from './interface.ts';
import { nearNotes } from './near-notes.ts';
import type { NoteLinks } from './note-links.ts';
import type { NotesDeps } from './notes-deps.ts';
import { noteFrontMatter, noteStem, renderNote } from './render-note.ts';
import { createVault, type OpenVault, type Vault } from './vault.ts';
import { writeTexts } from './write-texts.ts';

/** The activities of the queue `planning` that write permanent notes. */
export function createNotesActivities(deps: NotesDeps): NotesActivities {
  const open = createVault(deps);
  return guardActivities<NotesActivities>({
    writeNote: (facts) => whileBeating((watch) => writeNote(deps, open, facts, watch)),
  });
}

async function writeNote(
  deps: NotesDeps,
  open: OpenVault,
  facts: NoteFacts,
  watch: AgentWatch,
): Promise<WrittenNote> {
  const path = `${noteStem(facts)}.md`;
  const message = `Note ${facts.experimentId}: ${facts.outcome}`;
  const written = await open(watch.signal, (vault) => isWritten(vault, facts));
  if (written) {
    const commit = await open(watch.signal, (vault) => vault.publish(path, message));
    return { path, commit, tokens: 0, usage: [] };
  }
  // Outside the lock: a model may take minutes, and two notes may be written at once.
  const authored = await writeTexts(deps, facts, watch);
  const commit = await open(watch.signal, async (vault) => {
    const links = await linksOf(vault, facts);
    await vault.write(path, renderNote(facts, authored, links));
    return vault.publish(path, message);
  });
  return { path, commit, tokens: authored.tokens, usage: authored.usage };
}

/** A repeat finds its own file by its front matter, and leaves it as it is: by now a person may have written in it. */
async function isWritten(vault: Vault, facts: NoteFacts): Promise<boolean> {
  const text = await vault.read(`${noteStem(facts)}.md`);
  if (text === null) return false;
  const frontMatter = noteFrontMatter(facts, await parentOf(vault, facts));
  return text.startsWith(`---\n${frontMatter}---\n`);
}

async function linksOf(vault: Vault, facts: NoteFacts): Promise<NoteLinks> {
  const parentStem = await parentOf(vault, facts);
  const parentPath = parentStem === null ? null : `${parentStem}.md`;
  const catalogue = await vault.catalogue();
  const { task } = facts;
  const near = nearNotes(catalogue, {
    text: `${task.title}\n${task.hypothesis}`,
    metric: task.metric?.name ?? '',
    repository: task.repository,
    without: [parentPath, `${noteStem(facts)}.md`],
  });
  return { parentStem, parent: catalogue.notes.find(({ path }) => path === parentPath) ?? null, near };
}

/** The newest note about the experiment that this one was compared with, written before this one began. */
async function parentOf(vault: Vault, facts: NoteFacts): Promise<string | null> {
  const { baseline } = facts.task;
  if (baseline === null || !('experiment' in baseline)) return null;
  const own = noteStem(facts);
  const stems = await vault.notesOf(baseline.experiment);
  return stems.findLast((stem) => stem < own) ?? null;
}
