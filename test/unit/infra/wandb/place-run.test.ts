import { expect, it } from 'vitest';

import { createPlacer } from '../../../../infra/wandb/place-run.ts';

const settings = { baseUrl: 'http://127.0.0.1:9', apiKey: 'k', entity: undefined, project: undefined };
const nowhere = { runId: 'r', logged: { entity: '', project: '' }, fallback: {} };
const signal = new AbortController().signal;

function placer(entity: string | null, change: { entity?: string; project?: string } = {}) {
  let asked = 0;
  const place = createPlacer(
    {
      defaultEntity: async () => {
        asked += 1;
        return entity;
      },
      run: async () => null,
      history: async () => [],
      runs: async () => [],
    },
    { ...settings, ...change },
  );
  return { place, asked: () => asked };
}

it('takes the log before the task note, that before the settings, and asks the key last and once', async () => {
  const { place, asked } = placer('of-key', { entity: 'of-settings', project: 'p' });
  const logged = { entity: 'of-log', project: 'q' };
  const fallback = { entity: 'of-note' };
  expect(await place({ runId: 'r', logged, fallback }, signal)).toEqual({
    entity: 'of-log',
    project: 'q',
    runId: 'r',
  });
  expect(await place({ ...nowhere, fallback }, signal)).toMatchObject({ entity: 'of-note', project: 'p' });
  expect(await place(nowhere, signal)).toMatchObject({ entity: 'of-settings' });
  expect(asked()).toBe(0);
  const byKey = placer('of-key');
  expect(await byKey.place(nowhere, signal)).toEqual({
    entity: 'of-key',
    project: 'uncategorized',
    runId: 'r',
  });
  await byKey.place(nowhere, signal);
  expect(byKey.asked()).toBe(1);
});

it('says what to set where nobody names an entity', async () => {
  await expect(placer(null).place(nowhere, signal)).rejects.toMatchObject({
    type: 'WandbUnauthorized',
    message: expect.stringContaining('WANDB_ENTITY'),
  });
});
