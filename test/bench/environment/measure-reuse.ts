import { freeze } from '../../../activities/environment/freeze.ts';
import type { SmallWorld } from '../../integration/environment/small-project.ts';
import type { Figure } from '../figure.ts';

const targetMs = 1000;

/** The same lock again, for another experiment. */
export async function measureReuse(world: SmallWorld): Promise<readonly Figure[]> {
  await world.addPackage('hello', { 'hello.py': '' });
  for (const id of ['first', 'second']) await world.addExperiment(id, ['hello==1.0']);
  const { signal } = new AbortController();
  await freeze(world.dependencies, world.input('first'), signal);
  await world.calls();
  const begun = performance.now();
  const { reused } = await freeze(world.dependencies, world.input('second'), signal);
  const took = performance.now() - begun;
  const calls = (await world.calls()).length;
  return [
    {
      what: 'same lock again, until ready',
      value: `${took.toFixed(0)} ms`,
      target: `under ${targetMs} ms`,
      met: reused && took < targetMs,
    },
    { what: 'same lock again, uv processes', value: String(calls), target: '0', met: calls === 0 },
  ];
}
