import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, it } from 'vitest';

interface ScheduledActivity {
  readonly activityType: { readonly name: string };
  readonly retryPolicy: { readonly maximumInterval: string };
}

interface History {
  readonly events: readonly { readonly activityTaskScheduledEventAttributes?: ScheduledActivity }[];
}

const directory = join(import.meta.dirname, 'histories');
const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
const histories = await Promise.all(
  names.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as History),
);
const waits = histories
  .flatMap(({ events }) => events)
  .flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled ?? [])
  .filter(({ activityType }) => /^(await|mirrorRun)/.test(activityType.name));

it('lets nothing that waits go quiet for long where a worker dies, however often it has looked before', () => {
  expect(new Set(waits.map(({ activityType }) => activityType.name))).toEqual(
    new Set([
      'awaitEvents',
      'awaitJobChange',
      'awaitLiveResults',
      'awaitPlatform',
      'awaitPullRequestChange',
      'awaitRecordsChange',
      'awaitWords',
      'mirrorRun',
    ]),
  );
  const quiet = waits.filter(({ retryPolicy }) => Number.parseInt(retryPolicy.maximumInterval, 10) > 60);
  expect(quiet.map(({ activityType }) => activityType.name)).toEqual([]);
});
