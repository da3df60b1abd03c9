import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sign } from '@octokit/webhooks-methods';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { runCli } from '../../../client/cli/run-cli.ts';
import { openExperiments, type Experiments } from '../../../client/experiments.ts';
import { createWebhookServer } from '../../../client/webhook/create-webhook-server.ts';
import type { ExperimentInput } from '../../../domain/experiment.ts';
import { formatTaskNote } from '../../../domain/task-note-text.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { Failure } from '../../../infra/failure.ts';
import { freePort } from '../../../infra/free-port.ts';
import { exampleNote } from '../../support/example-note.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import {
  quickPolicy,
  startTemporalEnvironment,
  withWorld,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';

let temporal: TemporalEnvironment;
let experiments: Experiments;
let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'outside-'));
  temporal = await startTemporalEnvironment(inject('tools').temporal);
  env = settingsFor(temporal.server.address);
  experiments = openExperiments(loadConfig({ env, zones: [], cwd: directory }).temporal);
});
afterAll(async () => {
  await experiments.close();
  await temporal.close();
  await rm(directory, { recursive: true, force: true });
});

const patiently = { timeout: 30_000, interval: 100 };

function settingsFor(address: string): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_CONFIG_FILE: join(directory, 'none.toml'),
    HEPHAESTUS_GITHUB_POLL_SECONDS: '1',
    QIZHI_POLL_SECONDS: '1',
    USER: 'ann',
  };
}

function input(id: string): ExperimentInput {
  const note = exampleNote({ id, seeds: [0] });
  return { id, by: 'test', policy: quickPolicy, source: { kind: 'note', note, body: '## Why\n' } };
}

async function hephaestus(args: readonly string[], environment = env) {
  const written = { out: '', err: '' };
  const code = await runCli(args, {
    env: environment,
    cwd: directory,
    streams: {
      stdout: { write: (text) => (written.out += text) },
      stderr: { write: (text) => (written.err += text) },
    },
    signal: new AbortController().signal,
    openExperiments,
    program: 'hephaestus',
  });
  return { code, ...written };
}

describe('the command line on a real Temporal', () => {
  it('takes an experiment from its note to the merge, and refuses what may not be', async () => {
    const note = join(directory, 'QWEN_TASK.md');
    await writeFile(
      note,
      formatTaskNote({ note: exampleNote({ id: 'by-hand', seeds: [0] }), body: '## Why\n' }),
    );
    await withWorld(temporal, scriptedWorld(), async () => {
      expect(await hephaestus(['start', note])).toMatchObject({ code: 0, out: /^Started: by-hand/ });
      const again = await hephaestus(['start', note, '--json']);
      expect(JSON.parse(again.out)).toMatchObject({ status: 'attached', workflowId: 'experiment/by-hand' });
      await vi.waitFor(async () => {
        expect((await hephaestus(['show', 'by-hand'])).out).toContain('deciding');
      }, patiently);
      const stale = await hephaestus(['merge', 'by-hand', '--head', 'bbbbbbb']);
      expect(stale).toMatchObject({ code: 4, err: /names head bbbbbbb.* about aaaaaaa/ });
      expect(await hephaestus(['merge', 'by-hand'])).toMatchObject({
        code: 0,
        out: /Accepted: merge by-hand \(head aaaaaaa/,
      });
      expect(await hephaestus(['watch', 'by-hand'])).toMatchObject({ code: 0, out: /merged/ });
    });
    expect(await hephaestus(['merge', 'by-hand'])).toMatchObject({ code: 4, err: /already merged/ });
    expect(await hephaestus(['start', note])).toMatchObject({ code: 4, err: /already merged/ });
    await vi.waitFor(async () => {
      const { out } = await hephaestus(['list', '--json']);
      expect(JSON.parse(out)).toMatchObject({
        experiments: [
          { id: 'by-hand', phase: 'merged', execution: 'completed', pullRequest: 'lab/digits#1' },
        ],
      });
    }, patiently);
  });

  it.each(['show', 'watch', 'merge', 'reject', 'stop'])(
    'exits 3 when %s is about nothing',
    async (command) => {
      expect(await hephaestus([command, 'nothing'])).toMatchObject({
        code: 3,
        err: /no experiment "nothing"/,
      });
    },
  );

  it.each([['list'], ['show', 'x'], ['merge', 'x'], ['start', '--idea', 'x y z', '--repo', 'a/b']])(
    'exits 5 with one line when Temporal is away: %s',
    async (...args) => {
      const address = `127.0.0.1:${await freePort()}`;
      const ran = await hephaestus(args, settingsFor(address));
      expect(ran).toMatchObject({ code: 5, out: '' });
      expect(ran.err.trim().split('\n')).toEqual([expect.stringContaining(address)]);
    },
  );

  it('exits 5 when the namespace does not exist', async () => {
    const ran = await hephaestus(['list'], { ...env, TEMPORAL_NAMESPACE: 'nowhere' });
    expect(ran).toMatchObject({ code: 5, err: /TEMPORAL_NAMESPACE/ });
  });

  it('exits 1 for an experiment that fails, and starts it again under the same id', async () => {
    const failing = scriptedWorld({
      prepareSource: () =>
        Promise.reject(new Failure('RepositoryNotFound', 'the repository lab/digits does not exist')),
    });
    await withWorld(temporal, failing, async () => {
      await experiments.start(input('failing'));
      expect(await hephaestus(['watch', 'failing'])).toMatchObject({ code: 1, out: /RepositoryNotFound/ });
      expect((await hephaestus(['show', 'failing'])).out).toContain('docs/failures.md#repositorynotfound');
    });
    await withWorld(temporal, scriptedWorld(), async () => {
      expect((await experiments.start(input('failing'))).status).toBe('started');
      expect((await hephaestus(['stop', 'failing', '--reason', 'enough'])).code).toBe(0);
      expect(await hephaestus(['watch', 'failing'])).toMatchObject({ code: 0, out: /stopped/ });
    });
  });
});

describe('an experiment seen from outside', () => {
  it('tells what is being tried again', async () => {
    const world = scriptedWorld({
      openPullRequest: () =>
        Promise.reject(new Failure('GithubUnavailable', 'GitHub gave no answer', { retryAfterMs: 60_000 })),
    });
    await withWorld(temporal, world, async () => {
      await experiments.start(input('troubled'));
      await vi.waitFor(async () => {
        expect(await experiments.troubles('troubled')).toMatchObject([
          {
            activity: 'openPullRequest',
            type: 'GithubUnavailable',
            message: 'GitHub gave no answer',
            attempt: 2,
          },
        ]);
      }, patiently);
      const [trouble] = await experiments.troubles('troubled');
      expect(new Date(trouble?.nextTryAt ?? 0).getTime()).toBeGreaterThan(Date.now() + 10_000);
      await experiments.decide('troubled', { kind: 'stop', by: 'test' });
    });
  });

  it('is still told of when no worker answers', async () => {
    const id = 'unattended';
    await temporal.client.workflow.start('ExperimentWorkflow', {
      workflowId: `experiment/${id}`,
      taskQueue: 'nobody',
      args: [input(id)],
    });
    const seen = await experiments.see(id);
    expect(seen).toMatchObject({
      execution: 'running',
      phase: 'not begun',
      status: null,
      unanswered: /no worker/,
    });
    await temporal.client.workflow.getHandle(`experiment/${id}`).terminate();
    expect(await experiments.see(id)).toMatchObject({ execution: 'terminated', phase: 'terminated' });
  });
});

describe('a delivery of GitHub', () => {
  const secret = 'a-secret';

  async function deliver(event: string, payload: object, delivery: string): Promise<number> {
    const server = createWebhookServer({
      experiments,
      policy: quickPolicy,
      secret,
      log: pino({ level: 'silent' }),
    });
    const body = JSON.stringify(payload);
    const headers = {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': delivery,
      'x-hub-signature-256': await sign(secret, body),
    };
    const response = await server.inject({ method: 'POST', url: '/webhooks/github', payload: body, headers });
    expect(response.statusCode).toBe(202);
    return response.json<{ nudged: string[] }>().nudged.length;
  }

  it('makes the experiment look again, once for each delivery id', async () => {
    const id = 'nudged';
    const snapshot = { ...scriptedWorld().snapshot, reviews: [] };
    const world = scriptedWorld({
      awaitPullRequestChange: async ({ since }) => {
        if (since !== null) throw new Failure('GateUnchanged', 'as it was', { retryAfterMs: 600_000 });
        return { snapshot, fingerprint: 'the same' };
      },
      awaitWords: async ({ cursor, once }) => {
        if (!once) throw new Failure('NothingSaid', 'as it was', { retryAfterMs: 600_000 });
        return { words: [], cursor, headSha: snapshot.headSha };
      },
    });
    /** How often it looked at once, and how often it went back to waiting for a change. */
    const asked = () => {
      const sinces = world.calls.flatMap(({ name, input: question }) =>
        name === 'awaitPullRequestChange' ? [(question as { since: unknown }).since] : [],
      );
      const looks = sinces.filter((since) => since === null).length;
      return { looks, waits: sinces.length - looks };
    };
    /** How often it began to listen for words. */
    const heard = () => world.calls.filter(({ name }) => name === 'awaitWords').length;
    const repository = { full_name: 'lab/digits' };
    const review = { repository, pull_request: { head: { ref: `hephaestus/${id}`, repo: repository } } };
    await withWorld(temporal, world, async () => {
      await experiments.start(input(id));
      await vi.waitFor(async () => {
        expect((await experiments.see(id)).status?.waitingFor).toContain('Copilot');
      }, patiently);
      await vi.waitFor(() => expect(asked()).toEqual({ looks: 1, waits: 1 }), patiently);
      expect(await deliver('pull_request_review', review, 'd-1')).toBe(1);
      await vi.waitFor(() => expect(asked()).toEqual({ looks: 2, waits: 2 }), patiently);
      await deliver('pull_request_review', review, 'd-1');
      // A comment names no branch: the experiment is found by its pull request.
      const said = { body: '/hephaestus status', user: { type: 'User' } };
      const issue = { number: 1, pull_request: {} };
      const comment = { action: 'created', repository, issue, comment: said };
      const before = heard();
      await vi.waitFor(async () => expect(await deliver('issue_comment', comment, 'd-2')).toBe(1), patiently);
      await vi.waitFor(() => expect(heard()).toBe(before + 1), patiently);
      await experiments.decide(id, { kind: 'stop', by: 'test' });
      await vi.waitFor(
        async () => expect((await experiments.see(id)).execution).toBe('completed'),
        patiently,
      );
    });
    expect(asked().looks).toBe(2);
    expect(await deliver('pull_request_review', review, 'd-3')).toBe(0);
  });
});
