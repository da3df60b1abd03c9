import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, inject, test } from 'vitest';

import { createVault } from '../../../activities/notes/vault.ts';
import { discuss } from '../../../client/discuss/discuss.ts';
import type { Material } from '../../../domain/material.ts';
import type { Remark } from '../../../domain/remark.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { exampleNote } from '../../support/example-note.ts';
import { exampleStatus } from '../../unit/client/example-experiment.ts';
import { geminiSettings, startModels, temporaryFolder } from './models.ts';

test('questions about the evidence are answered in one session, and kept before they are shown', async () => {
  const models = await startModels({
    discuss: ({ turn, prompt }) => `Answer ${turn}: ${/^> (.*)$/m.exec(prompt)?.[1] ?? ''}`,
  });
  const scratchDir = await temporaryFolder();
  const environment = processEnvironment();
  const material: Material = {
    status: exampleStatus(),
    note: exampleNote(),
    body: '## Why\n',
    curves: [{ label: 'seed 0', first: 1, line: '█▁', last: 0.1, lastStep: 9, gaps: 0 }],
    pictures: [],
    diff: '+rate = 2',
  };
  const questions = ['Is it noise?', 'Et @maintenant?'];
  const heard: Remark[] = [];
  const count = await discuss({
    id: 'warmup-cosine',
    by: 'ann',
    material,
    open: createVault({ vault: join(scratchDir, 'vault'), scratchDir, environment }),
    gemini: geminiSettings(models),
    limits: { maxTokens: Infinity },
    argv: inject('tools').gemini,
    scratchDir,
    environment,
    signal: new AbortController().signal,
    nextQuestion: async () => questions.shift() ?? null,
    onAnswer: async (remark) => void heard.push(remark),
  });
  expect(count).toBe(2);
  expect(heard.map(({ answer }) => answer)).toEqual([
    'Answer 0: Is it noise?',
    'Answer 1: Et \\@maintenant?',
  ]);
  expect(heard[0]).toMatchObject({
    by: 'ann',
    question: 'Is it noise?',
    answeredBy: 'Gemini CLI (gemini-3.1-pro-preview)',
  });
  const kept = await readFile(join(scratchDir, 'discussions', 'warmup-cosine.jsonl'), 'utf8');
  expect(
    kept
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Remark),
  ).toEqual(heard);
  expect((await readdir(scratchDir)).filter((name) => name.startsWith('discuss-'))).toEqual([]);
}, 300_000);
