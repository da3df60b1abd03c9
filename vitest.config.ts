import { defineConfig } from 'vitest/config';

import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    include: ['test/{unit,replay,integration,e2e}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/last-line-reporter.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
