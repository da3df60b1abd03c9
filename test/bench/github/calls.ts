import {
  createConversationActivities,
  lookOnce,
} from '../../../activities/github/create-conversation-activities.ts';
import type { WordCursor } from '../../../activities/github/conversation.ts';
import { branchName } from '../../../domain/ids.ts';
import { listenInterval } from '../../../domain/listen-interval.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { decisionSignals } from '../../../workflows/contract.ts';
import { type GithubLab, repository, startLab } from '../../integration/github/github-lab.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  statusOf,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';

const mostCalls = 120;
const waitMs = 3 * 24 * 3_600_000;
/** As in the settings' default; the way before and after the wait is walked in real time with a shorter one. */
const pollSeconds = 60;
const pauseMs = 200;
/** What was asked so often is named. */
const often = 3;

interface Asked {
  readonly requests: number;
  readonly notModified: number;
  /** By route and status. */
  readonly routes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * What one experiment asks of GitHub when no webhook ever comes: its whole way by the real activities on the lab's GitHub,
 * everything else scripted, and a wait of three days for the decision, whose looks are really sent and whose pauses are
 * only added up. Returns whether that is within the aim.
 */
export async function benchCalls(
  { temporal: binary }: Pick<Tools, 'temporal'>,
  say: (line: string) => void,
): Promise<boolean> {
  const lab = await startLab();
  const temporal = await startTemporalEnvironment(binary);
  try {
    const begun = await askedOf(lab);
    const handle = await startOnLab(lab, temporal);
    await until(async () => (await statusOf(handle)).phase === 'deciding');
    const { pullRequest } = await statusOf(handle);
    const before = await askedOf(lab);
    const looks = await waitThreeDays(lab, pullRequest?.number ?? 0);
    const waited = await askedOf(lab);
    await handle.signal(decisionSignals.merge, { by: 'bench' });
    await handle.result();
    const all = await askedOf(lab);
    const total = all.requests - begun.requests;
    const unchanged = all.notModified - begun.notModified;
    say(
      `${total} requests to GitHub for one experiment with a wait of 3 days and no webhook (aim: at most ${mostCalls})`,
    );
    say(`${unchanged} of them answered 304 (aim: most)`);
    say(
      `until the evidence ${before.requests - begun.requests}, in the wait ${waited.requests - before.requests} (${looks} looks), from the word to the end ${all.requests - waited.requests}`,
    );
    for (const [route, statuses] of Object.entries(all.routes)) {
      const count = Object.values(statuses).reduce((sum, each) => sum + each, 0);
      if (count >= often) say(`  ${count} × ${route}`);
    }
    return total <= mostCalls && unchanged > total / 2;
  } finally {
    await temporal.close();
    await lab.close();
  }
}

async function startOnLab(lab: GithubLab, temporal: TemporalEnvironment) {
  const world = scriptedWorld({
    ...lab.activities,
    ...createConversationActivities({ github: lab.client }),
    implementChange: async ({ experimentId }) => ({
      headSha: await lab.push(branchName(experimentId), { 'train.py': 'a = 2\nb = 2\nc = 3\n' }),
      summary: 'Changed the schedule.',
      changedPaths: ['train.py'],
      tokens: 0,
    }),
  });
  temporal.world.current = world;
  return startExperiment(temporal.client, { note: { repository }, policy: { githubPollSeconds: 5 } });
}

async function waitThreeDays(lab: GithubLab, number: number): Promise<number> {
  const from = Date.now();
  const cursor: WordCursor = {
    since: new Date(from).toISOString(),
    known: [],
    state: 'open',
    strangersLeft: 20,
  };
  const input = { experimentId: 'x', repository, number, cursor, quietSince: from, pollSeconds, once: false };
  const memory = { last: null as string | null, keep: (text: string) => void (memory.last = text) };
  let looks = 0;
  for (let at = 0; at < waitMs; looks += 1) {
    if ((await lookOnce(lab.client, input, memory, from + at)) !== null)
      throw new Error('nobody said anything');
    at += listenInterval({ quietMs: at, baseMs: pollSeconds * 1000, random: 0.5 });
  }
  return looks;
}

async function askedOf(lab: GithubLab): Promise<Asked> {
  const { data } = await lab.ask('pi', 'GET', '/_lab/stats');
  return data;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, pauseMs));
}
