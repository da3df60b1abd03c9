import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';

import { createNotesActivities } from '../../../activities/notes/create-notes-activities.ts';
import type { WrittenNote } from '../../../activities/notes/interface.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { findDeadLinks } from '../../../infra/lab/vault/find-dead-links.ts';
import { madeUpExperiments } from '../../../infra/lab/vault/made-up-experiments.ts';
import type { Figure } from '../figure.ts';

const count = 20;
const machines = 4;

/** Twenty notes that land at once in one remote, from four machines. */
export async function measureLanding(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-bench-landing-'));
  try {
    const remote = join(folder, 'notes.git');
    await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
    const activities = Array.from({ length: machines }, (_, machine) =>
      createNotesActivities({
        vault: `file://${remote}`,
        gemini: { apiKey: '', model: undefined, baseUrl: undefined },
        limits: { maxTokens: Infinity },
        tools: { gemini: ['false'] },
        scratchDir: join(folder, `machine-${machine}`),
        environment: processEnvironment(),
      }),
    );
    const started = performance.now();
    const notes = await Promise.all(
      madeUpExperiments(count).map((facts, index) =>
        new MockActivityEnvironment().run(async (): Promise<WrittenNote> => {
          const machine = activities[index % machines];
          if (machine === undefined) throw new Error('there is a machine for each note');
          return machine.writeNote(facts);
        }),
      ),
    );
    const seconds = (performance.now() - started) / 1000;
    await execa('git', ['clone', '--quiet', remote, join(folder, 'check')]);
    const { stdout: index } = await execa('git', ['-C', remote, 'show', 'main:experiments.md']);
    const rows = index.split('\n').filter((line) => line.startsWith('| 20'));
    const once = notes.filter(
      ({ path }) => rows.filter((row) => row.includes(`](${path})`)).length === 1,
    ).length;
    const wrong = await findDeadLinks(join(folder, 'check'));
    return [
      {
        what: `${count} notes landing at once from ${machines} machines (${seconds.toFixed(1)} s)`,
        value: `${once} in the index once, ${wrong.length} faults found by Foam`,
        target: `${count} once, no fault`,
        met: once === count && rows.length === count && wrong.length === 0,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
