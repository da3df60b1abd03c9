export interface BadDay {
  readonly title: string;
  /** A line for a shell. */
  readonly line: string;
}

/** Lines that make something go wrong, for the page; docs/lab.md explains them. `address`: of the stand-in. */
export function badDays(address: string): readonly BadDay[] {
  const send = (method: string, path: string, body: unknown) =>
    `curl -X ${method} ${address}/_lab/${path} -d '${JSON.stringify(body)}'`;
  const script = (...steps: object[]) => send('PUT', 'jobs/latest/script', steps);
  const fault = (body: object) => send('POST', 'faults', body);
  return [
    { title: 'The newest job is preempted, queues and runs again', line: script({ act: 'preempt' }) },
    { title: 'Its node dies', line: script({ act: 'node-loss' }) },
    { title: 'It is restarted with the next round', line: script({ act: 'restart' }) },
    {
      title: 'A status that nobody knows, for a minute',
      line: script({ status: 'job_dreaming', forMs: 60_000 }),
    },
    {
      title: 'The next job queues for ten minutes',
      line: send('POST', 'scripts', { steps: [{ until: 'job_queuing' }, { act: 'hold', forMs: 600_000 }] }),
    },
    {
      title: 'The answer to the next create is lost, the job is made',
      line: fault({ kind: 'commit-then-drop', on: 'create' }),
    },
    {
      title: 'Every tenth detail is a page of the gateway',
      line: fault({ kind: 'bad-gateway', on: 'detail', rate: 0.1 }),
    },
    { title: 'Too many requests, ten times', line: fault({ kind: 'too-many', on: 'any', times: 10 }) },
    { title: 'Every token is revoked', line: `curl -X DELETE ${address}/_lab/tokens` },
    {
      title: 'All is well again',
      line: `for each in faults scripts settings account; do curl -X DELETE ${address}/_lab/$each; done`,
    },
  ];
}
