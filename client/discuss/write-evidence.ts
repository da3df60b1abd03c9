import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { NearNote } from '../../activities/notes/near-notes.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Material } from '../../domain/material.ts';
import { formatTaskNote } from '../../domain/task-note-text.ts';

/** Everything that is known of the experiment, as files: for the agent, and for the person beside it. */
export async function writeEvidence(
  folder: string,
  { status, note, body, curves, pictures, diff }: Material,
  near: readonly NearNote[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { evidence, decision, failure, attempts, changes = [], gate, cost, remarks = [] } = status;
  const facts = {
    id: status.id,
    title: status.title,
    phase: status.phase,
    evidence,
    decision,
    failure,
    attempts,
    gate,
    cost,
  };
  const files: Readonly<Record<string, string>> = {
    'FACTS.json': `${JSON.stringify(facts, null, 2)}\n`,
    'FACTS.md': factsInWords(status.title, evidence),
    'CURVES.md': curves.map(curveInWords).join('\n') + pictures.map((url) => `\nPicture: ${url}\n`).join(''),
    'CHANGE.diff': diff === '' ? 'There is no change yet.\n' : `${diff}\n`,
    'CHANGES.json': `${JSON.stringify(changes, null, 2)}\n`,
    'QWEN_TASK.md': note === null ? 'There is no task note yet.\n' : formatTaskNote({ note, body }),
    'EARLIER.md': near.map(earlier).join('\n') || 'There is no earlier note about this.\n',
    'SAID.json': `${JSON.stringify(remarks, null, 2)}\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

function factsInWords(title: string, evidence: Evidence | null): string {
  if (evidence === null) return `# ${title}\n\nThere is no evidence yet.\n`;
  const { jobs, baseline, metric, verdict, gpuHours } = evidence;
  return [
    `# ${title}`,
    '',
    verdict.sentence,
    '',
    `| seed | ${metric.name} | GPU hours |`,
    '|---|---|---|',
    ...jobs.map(({ seed, value, gpuHours: hours }) => `| ${seed} | ${value ?? 'none'} | ${hours} |`),
    '',
    baseline === null ? 'There is no baseline.' : `Baseline ${baseline.name}: ${baseline.values.join(', ')}`,
    `${gpuHours} GPU hours in all.`,
    '',
  ].join('\n');
}

function curveInWords({ label, first, line, last, lastStep, gaps }: Material['curves'][number]): string {
  return `- ${label}: ${first ?? 'none'} ${line} ${last ?? 'none'} at step ${lastStep}${gaps > 0 ? `, ${gaps} rows not finite` : ''}`;
}

function earlier({ note, reason }: NearNote): string {
  return `## ${note.title}\n\nFile ${note.path}, ${note.status || 'a note of a person'} (${reason})\n\n${note.claim}\n`;
}
