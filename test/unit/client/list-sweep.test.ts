import { describe, expect, it } from 'vitest';

import type { Experiments } from '../../../client/experiments.ts';
import { runIn } from './run-in.ts';

const at = '2026-01-01T00:00:00.000Z';
async function listWith(sweep: Awaited<ReturnType<Experiments['seeSweep']>>): Promise<string> {
  return (await runIn(['list'], { calls: { list: async () => [], seeSweep: async () => sweep } })).out;
}

describe('list, of runs that nobody brings to W&B', () => {
  it('tells those that need a person, with reason and cure', async () => {
    const quarantined = [{ folder: 'a/wandb/offline-run-1', reason: 'it was deleted', cure: 'Restore it.' }];
    const report = { runs: 3, begun: 0, underWay: 0, quarantined };
    const out = await listWith({ at, report, failure: null });
    expect(out).toContain('a/wandb/offline-run-1: it was deleted. Restore it.');
    expect(await listWith({ at, report: { ...report, quarantined: [] }, failure: null })).not.toContain(
      'W&B',
    );
  });

  it('tells why they were not looked at', async () => {
    expect(await listWith({ at, report: null, failure: 'the key is not accepted' })).toContain(
      'the key is not accepted',
    );
  });
});
