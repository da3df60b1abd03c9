import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { z } from 'zod';

import type { Figure } from '../figure.ts';

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ ancestorTitles: z.array(z.string()), status: z.string() })),
    }),
  ),
});

const atLeastFaults = 20;
const atLeastGood = 10;

/** How many planted faults the proof names, and how many good environments it lets pass, from the test that plants them. */
export async function measureFaults(): Promise<readonly Figure[]> {
  const report = await runTests('test/integration/environment/planted-faults.test.ts');
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (title: string) => {
    const of = tests.filter(({ ancestorTitles }) => ancestorTitles.some((each) => each.startsWith(title)));
    return { all: of.length, passed: of.filter(({ status }) => status === 'passed').length };
  };
  const faults = count('a fault planted');
  const good = count('a good environment');
  return [
    {
      what: 'planted faults named',
      value: `${faults.passed} of ${faults.all}`,
      target: `all of at least ${atLeastFaults}`,
      met: faults.passed === faults.all && faults.all >= atLeastFaults,
    },
    {
      what: 'good environments not refused',
      value: `${good.passed} of ${good.all}`,
      target: `all of at least ${atLeastGood}`,
      met: good.passed === good.all && good.all >= atLeastGood,
    },
  ];
}

async function runTests(file: string): Promise<z.infer<typeof Report>> {
  const scratch = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const output = join(scratch, 'report.json');
    const cwd = join(import.meta.dirname, '..', '..', '..');
    const args = ['vitest', 'run', '--reporter=json', `--outputFile=${output}`, file];
    await execa('npx', args, { cwd, reject: false });
    return Report.parse(JSON.parse(await readFile(output, 'utf8')));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
