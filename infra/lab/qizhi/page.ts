import { join } from 'node:path';

import nunjucks from 'nunjucks';

import type { Isolation } from '../../isolation/isolation.ts';
import { badDays } from './bad-days.ts';
import type { Fault } from './faults.ts';
import { gpusOf, told, type Job } from './job.ts';
import type { JobRoutesOptions } from './job-routes.ts';

const templates = new nunjucks.Environment(
  new nunjucks.FileSystemLoader(join(import.meta.dirname, 'templates')),
  { autoescape: true, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true },
);

const isolationWords: Readonly<Record<Isolation, string>> = {
  namespaces: 'Jobs run without network, in namespaces of their own.',
  seccomp: 'Jobs run without network, kept from it by a filter.',
  none: 'This machine offers no way to keep jobs from the network: they could use it.',
};
const mostRows = 100;

/** The newest jobs, what is amiss on purpose, and lines to copy that make more amiss. `address`: of this stand-in. */
export function jobsPage(options: JobRoutesOptions, address: string): string {
  const { store, faults, newcomers, settings, account, stats, isolation, trouble } = options;
  const jobs = [...store.jobs.values()].toReversed();
  return templates.render('jobs.html', {
    isolation: isolationWords[isolation],
    trouble: trouble(),
    jobs: jobs.slice(0, mostRows).map(rowOf),
    more: Math.max(0, jobs.length - mostRows),
    faults: faults.list().map(faultWords),
    scripts: newcomers.orders().map((order) => JSON.stringify(order)),
    changed: settings.changes(),
    locked: account.state().locked,
    requests: requestWords(stats.totals()),
    most: stats.mostPerSecond().requests,
    badDays: badDays(address),
  });
}

function rowOf(job: Job): Record<string, unknown> {
  const now = Date.now();
  const { status, reason, round } = told(job);
  return {
    id: job.id,
    name: String(job.request['name']),
    status,
    truth: status === job.status ? '' : job.status,
    tone: toneOf(status),
    reason,
    round,
    gpus: gpusOf(job),
    created: dateTime(job.createdAt),
    queued: duration((job.runAt ?? job.finishedAt ?? now) - job.createdAt),
    ran: job.runAt === null ? '' : duration((job.finishedAt ?? now) - job.runAt),
    command: job.command,
    dry: job.dry !== null,
    starts: job.starts,
    events: job.events.map((event) => ({ ...event, at: dateTime(event.lastAt).slice(11) })),
  };
}

function requestWords({ requests, ...each }: Readonly<Record<string, number>>): string {
  const parts = Object.entries(each).flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : []));
  return parts.length === 0 ? 'none yet' : `${requests} (${parts.join(', ')})`;
}

function faultWords(fault: Fault & { readonly met: number }): string {
  const { kind, on, times, rate, seed, met } = fault;
  const when =
    rate === undefined
      ? `the next ${(times ?? 1) === 1 ? 'request' : `${times} requests`}`
      : `${rate * 100} % of the requests (seed ${seed})`;
  return `${kind} on ${on}: ${when}, met ${met} so far`;
}

function toneOf(status: string): string {
  if (/succe/i.test(status)) return 'good';
  if (/fail|out$|evict/i.test(status)) return 'bad';
  return /running/i.test(status) ? 'live' : 'quiet';
}

function dateTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
