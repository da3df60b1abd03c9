/**
 * The figures of training jobs: `npm run bench:qizhi [-- --experiments 1000] [--seed 1] [--only waits|requests|chaos|many]`.
 * Exits with 1 where an aim is missed or anything is wrong.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import { runSections, wholeNumber, type Section } from '../run-sections.ts';
import { runChaos } from './chaos.ts';
import { describeChaos } from './chaos-report.ts';
import { benchMany } from './many.ts';
import { benchRequests } from './requests.ts';
import { benchWaits } from './waits.ts';

const { values } = parseArgs({
  options: {
    experiments: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
  },
});

/** Two cores bear so many at one time. */
const inFlight = 40;
const mishapRate = 0.05;
const meanLifeMs = 30_000;
const longestMs = 900_000;

quietRuntime();
const tools = await ensureTools({
  root: join(import.meta.dirname, '..', '..', '..', '.tools'),
  environment: processEnvironment(),
});
const sections: Readonly<Record<string, Section>> = {
  waits: () => benchWaits(tools),
  requests: () => benchRequests(tools),
  chaos: async () => {
    const report = await runChaos(tools, {
      experiments: wholeNumber('experiments', values.experiments),
      seed: wholeNumber('seed', values.seed),
      inFlight,
      mishapRate,
      meanLifeMs,
      longestMs,
      say: (line) => console.log(line),
    });
    console.log(describeChaos(report));
    return report.problems.length === 0;
  },
  many: () => benchMany(tools),
};
await runSections(sections, values.only);
