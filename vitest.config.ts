import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    include: ['test/{unit,replay,integration,e2e}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/last-line-reporter.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
