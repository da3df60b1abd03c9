import { defineConfig } from 'vitest/config';

import everyday from './vitest.config.ts';

/** What is too long for every change: `npm run test:production`. */
export default defineConfig({
  test: { ...everyday.test, include: ['test/production/**/*.test.ts'], testTimeout: 600_000 },
});
