import { describe, expect, it } from 'vitest';

import { decideRunState, type RunFacts, type ServerSight } from '../../../domain/run-state.ts';

const log: RunFacts['log'] = { runId: 'a', rows: 10, lastStep: 9, exitCode: 0, damage: null };
const alive = { exitCode: null, silent: false };
const shown: Extract<ServerSight, { status: 'known' }> = {
  status: 'known',
  rows: 10,
  lastStep: 9,
  state: 'finished',
  summaryDiffers: [],
  filesMissing: [],
};
const decide = (change: {
  log?: Partial<RunFacts['log']>;
  job?: Partial<RunFacts['job']>;
  server?: Partial<typeof shown> | ServerSight;
}) =>
  decideRunState({
    log: { ...log, ...change.log },
    job: { ...alive, ...change.job },
    server: { ...shown, ...change.server },
  });

describe('decideRunState', () => {
  it('acknowledges only what agrees in everything', () => {
    expect(decide({}).status).toBe('acknowledged');
    for (const server of [
      { rows: 9 },
      { lastStep: 8 },
      { lastStep: null },
      { state: 'running' },
      { state: 'crashed' },
      { state: 'failed' },
      { summaryDiffers: ['loss'] },
      { filesMissing: ['media/a.png'] },
    ]) {
      expect(decide({ server }), JSON.stringify(server)).toMatchObject({ status: 'draining', cause: null });
    }
  });

  it.each([
    [{ exitCode: 3 }, {}, 'failed', 'acknowledged'],
    [{ exitCode: 3 }, {}, 'finished', 'draining'],
    [{ exitCode: null }, { exitCode: 0 }, 'finished', 'acknowledged'],
    [{ exitCode: null }, { exitCode: 137 }, 'failed', 'acknowledged'],
    [{ exitCode: null }, { silent: true }, 'failed', 'acknowledged'],
    [{ exitCode: null }, { silent: true }, 'crashed', 'draining'],
    [{ exitCode: null }, {}, 'running', 'mirroring'],
  ] as const)('log %j, job %j, shown as %s: %s', (logged, job, state, status) => {
    expect(decide({ log: logged, job, server: { state } }).status).toBe(status);
  });

  it.each([
    ['deleted', { server: { status: 'deleted' } }],
    ['refused', { server: { status: 'refused', why: 'wrong key' } }],
    ['corrupt', { log: { damage: { byte: 7, why: 'x' } } }],
    ['empty', { log: { rows: 0, lastStep: null } }],
    ['empty', { log: { runId: null } }],
    ['surplus', { server: { rows: 11 } }],
  ] as const)('quarantines what is %s, with a reason and a cure', (cause, change) => {
    const state = decide(change);
    expect(state).toMatchObject({ status: 'quarantined', cause });
    expect(state.reason.length * state.cure.length).toBeGreaterThan(0);
  });

  it('waits for what is alive, whatever its file looks like', () => {
    const growing = { exitCode: null, damage: { byte: 7, why: 'x' } };
    expect(decide({ log: growing, server: { status: 'absent' } }).status).toBe('pending');
    expect(decide({ log: { exitCode: null, rows: 0 }, server: { status: 'absent' } }).status).toBe('pending');
    expect(decide({ server: { status: 'unasked' } }).status).toBe('pending');
  });
});
