import type { BenchAccount } from './bench-world.ts';

/** A job as the lab keeps it. */
export interface LabJob {
  readonly id: string;
  readonly status: string;
  /** How often its command was really begun; more than once where the platform started it again. */
  readonly starts: number;
  readonly request: { readonly name: string } & Readonly<Record<string, unknown>>;
}

export interface LabStats {
  readonly token: number;
  readonly create: number;
  readonly detail: number;
  readonly stop: number;
  readonly requests: number;
  /** The most requests that fell into any window of one second. */
  readonly mostPerSecond: { readonly requests: number };
  readonly jobs: number;
  readonly trouble: string;
}

/** The lab's own interface, as far as the bench needs it, and what a badly behaved network does to its platform. */
export interface LabClient {
  jobs(): Promise<readonly LabJob[]>;
  stats(): Promise<LabStats>;
  addFault(fault: object): Promise<void>;
  /** How often each kind of fault was met, over all questions. */
  faultsMet(): Promise<Record<string, number>>;
  /** Changes the settings of the lab while it runs. */
  change(settings: object): Promise<void>;
  resetStats(): Promise<void>;
  /** Delivers a job's create request once more. False when the platform did not take it this time. */
  createAgain(job: LabJob): Promise<boolean>;
}

export function createLabClient(url: string, account: BenchAccount): LabClient {
  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body), headers, redirect: 'manual' });
  const read = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}${path}`);
    if (!answer.ok) throw new Error(`the lab answered ${answer.status} to ${path}, expected 200`);
    return (await answer.json()) as T;
  };
  const tell = async (method: 'POST' | 'PUT', path: string, body: object): Promise<void> => {
    const text = JSON.stringify(body);
    const answer = await fetch(`${url}${path}`, { method, body: text });
    if (!answer.ok) throw new Error(`the lab refused ${method} ${path} ${text}: ${await answer.text()}`);
  };
  return {
    jobs: () => read<LabJob[]>('/_lab/jobs'),
    stats: () => read<LabStats>('/_lab/stats'),
    addFault: (fault) => tell('POST', '/_lab/faults', fault),
    faultsMet: async () => {
      const faults = await read<{ kind: string; met: number }[]>('/_lab/faults');
      const sums: Record<string, number> = {};
      for (const { kind, met } of faults) sums[kind] = (sums[kind] ?? 0) + met;
      return sums;
    },
    change: (settings) => tell('PUT', '/_lab/settings', settings),
    resetStats: async () => {
      await fetch(`${url}/_lab/stats`, { method: 'DELETE' });
    },
    createAgain: async ({ request }) => {
      const login = await dataOf(post('/auth/token', account));
      const token = login?.['access_token'];
      if (typeof token !== 'string') return false;
      const headers = { Authorization: `Bearer ${token}` };
      const created = await dataOf(post('/openapi/v1/train_job/create', request, headers));
      return typeof created?.['job_id'] === 'string';
    },
  };
}

/** `data` of the platform's envelope; undefined for whatever else came, since the lab's faults meet this request too. */
async function dataOf(answer: Promise<Response>): Promise<Record<string, unknown> | undefined> {
  const text = await answer.then(
    (response) => response.text(),
    () => '',
  );
  if (!text.startsWith('{')) return undefined;
  try {
    const { data } = JSON.parse(text) as { data?: unknown };
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
