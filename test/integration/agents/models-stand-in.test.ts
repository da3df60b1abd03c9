import { expect, test } from 'vitest';

import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { startModelsStandIn } from '../../../infra/lab/models/models-stand-in.ts';
import { scriptIdea } from '../../../infra/lab/models/script-idea.ts';
import { qwenSettings, startModels, temporaryFolder } from './models.ts';

const prompt = { model: 'm', messages: [{ role: 'user', content: 'Task: note what was learned.\n<b>' }] };

function ask(url: string, key: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(prompt),
  });
}

test('asks for the key, keeps the calls over a restart, and shows them to people without trusting them', async () => {
  const directory = await temporaryFolder();
  const script = scriptIdea(demoIdea);
  const first = await startModelsStandIn({ directory, script });
  const { apiKey } = qwenSettings(first);
  expect((await ask(first.url, 'wrong')).status).toBe(401);
  expect((await ask(first.url, apiKey)).status).toBe(200);
  await first.close();

  const second = await startModelsStandIn({ directory, script });
  expect(qwenSettings(second).apiKey).toBe(apiKey);
  expect(second.calls()).toHaveLength(1);
  const page = await (await fetch(second.url)).text();
  expect(page).toContain('&#60;b&#62;');
  expect(page).not.toContain('<b>');
  await second.close();
});

test('a fault comes as often as was asked, for its role alone; a wrong one is refused', async () => {
  const models = await startModels();
  const { apiKey } = qwenSettings(models);
  const set = (fault: object): Promise<Response> =>
    fetch(`${models.url}/_lab/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    });
  expect((await set({ kind: 'earthquake' })).status).toBe(422);
  expect((await set({ kind: 500, role: 'plan' })).status).toBe(201);
  expect((await set({ kind: 429, role: 'note', count: 2 })).status).toBe(201);
  const statuses = [];
  for (let call = 0; call < 3; call += 1) statuses.push((await ask(models.url, apiKey)).status);
  expect(statuses).toEqual([429, 429, 200]);
});
