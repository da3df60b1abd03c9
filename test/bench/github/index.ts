/**
 * The figures of pull requests: `npm run bench:github [-- --experiments 1000] [--seed 1] [--bodies 100000] [--only
 * chaos|webhooks|calls]`. Exits with 1 where anything is wrong.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { processEnvironment } from '../../../infra/env.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import { runSections, wholeNumber, type Section } from '../run-sections.ts';
import { benchCalls } from './calls.ts';
import { runChaos } from './chaos.ts';
import { describeChaos } from './chaos-report.ts';
import { benchWebhooks } from './webhooks.ts';

const { values } = parseArgs({
  options: {
    experiments: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    bodies: { type: 'string', default: '100000' },
    only: { type: 'string', multiple: true },
  },
});

/** Two cores bear so many at one time. */
const inFlight = 20;
const meanLifeMs = 30_000;
const longestMs = 900_000;

quietRuntime();
const tools = await ensureTools({
  root: join(import.meta.dirname, '..', '..', '..', '.tools'),
  environment: processEnvironment(),
});
const sections: Readonly<Record<string, Section>> = {
  chaos: async () => {
    const report = await runChaos(tools, {
      experiments: wholeNumber('experiments', values.experiments),
      seed: wholeNumber('seed', values.seed),
      inFlight,
      meanLifeMs,
      longestMs,
      say: (line) => console.log(line),
    });
    console.log(describeChaos(report));
    return report.problems.length === 0;
  },
  webhooks: () => benchWebhooks(wholeNumber('bodies', values.bodies), (line) => console.log(line)),
  calls: () => benchCalls(tools, (line) => console.log(line)),
};
await runSections(sections, values.only);
