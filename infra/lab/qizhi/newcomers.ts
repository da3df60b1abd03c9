import { isDeepStrictEqual } from 'node:util';

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

import type { Job } from './job.ts';
import type { Act, Script, ScriptOrder } from './script.ts';
import type { LiveSettings, Settings } from './settings.ts';

/** What jobs that are created later are to meet: scripts that were ordered, else what is drawn by chance. */
export interface Newcomers {
  order(order: ScriptOrder): void;
  clear(): void;
  orders(): readonly ScriptOrder[];
  /** The script of a new job, null for none. */
  scriptFor(job: Job): Script | null;
}

type Draws = Settings['draws'];
type Drawn = Exclude<keyof Draws, 'seed' | 'withinMs'>;

/** The order is that of the draws. */
const drawn: readonly (readonly [name: Drawn, act: Act, when: 'running' | 'queuing' | 'at once'])[] = [
  ['preempt', 'preempt', 'running'],
  ['evict', 'evict', 'running'],
  ['restart', 'restart', 'running'],
  ['nodeLoss', 'node-loss', 'running'],
  ['queueOut', 'queue-out', 'queuing'],
  ['createFailed', 'create-failed', 'at once'],
  ['preCheckFailed', 'pre-check-failed', 'at once'],
];

export function createNewcomers(settings: LiveSettings): Newcomers {
  let orders: ScriptOrder[] = [];
  let draws: Draws | undefined;
  let generator = xoroshiro128plus(0);

  /** Every job takes as many numbers, so that what one meets does not depend on what the ones before it met. */
  function draw(): Script | null {
    // A change of the draws begins again from the seed.
    if (!isDeepStrictEqual(draws, settings.current.draws)) {
      draws = settings.current.draws;
      generator = xoroshiro128plus(draws.seed);
    }
    const { withinMs, ...chances } = settings.current.draws;
    const forMs = Math.round(uniformFloat64(generator) * withinMs);
    const met = drawn.filter(([name]) => uniformFloat64(generator) < chances[name]);
    const [first] = met;
    if (first === undefined) return null;
    const [, act, when] = first;
    if (when === 'running') return [{ until: 'job_running' }, { forMs }, { act }];
    return when === 'queuing' ? [{ until: 'job_queuing' }, { act }] : [{ act }];
  }

  return {
    order: (order) => {
      orders.push({ ...order });
    },
    clear: () => {
      orders = [];
    },
    orders: () => orders,
    scriptFor(job) {
      const chance = draw();
      const order = orders.find(({ name }) => String(job.request['name']).includes(name));
      if (order === undefined) return chance;
      orders = orders.flatMap((each) => {
        const left = each === order ? each.times - 1 : each.times;
        return left > 0 ? [{ ...each, times: left }] : [];
      });
      return order.steps;
    },
  };
}
