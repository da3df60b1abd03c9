/**
 * The project's figures: `npm run bench [-- demo|history [full]]`. Ratios and counts, measured side by side in one run; nothing
 * here is a test, so nothing here fails on a slow machine.
 */
import { benchDemo } from './demo.ts';
import { benchHistory } from './history.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = { history: benchHistory, demo: benchDemo };

const asked = process.argv.slice(2).filter((word) => word in benches);
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n== ${name} ==`);
  await bench();
}
