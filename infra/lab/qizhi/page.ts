import type { Isolation } from '../../isolation/isolation.ts';
import { gpusOf, told, type Job } from './job.ts';

const isolationWords: Readonly<Record<Isolation, string>> = {
  namespaces: 'Jobs run without network, in namespaces of their own.',
  seccomp: 'Jobs run without network, kept from it by a filter.',
  none: 'This machine offers no way to keep jobs from the network: they could use it.',
};

/** The jobs, newest first, for people. */
export function jobsPage(jobs: readonly Job[], isolation: Isolation): string {
  const rows = jobs
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .map(
      (job) =>
        `<tr>${cells(job)
          .map((cell) => `<td${/\s/.test(cell) && !cell.includes('<') ? ' class="plain"' : ''}>${cell}</td>`)
          .join('')}</tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><meta http-equiv="refresh" content="2"><title>Qizhi stand-in</title>
<style>body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;margin:2rem auto;max-width:75rem;padding:0 1rem}.scroll{overflow-x:auto}table{border-collapse:collapse}
td,th{border-bottom:1px solid #ccc;padding:.3rem .8rem;text-align:left;vertical-align:top}
td.plain{white-space:nowrap}td{min-width:3rem}td:first-child{min-width:13rem}td:last-child{overflow-wrap:anywhere;min-width:16rem}a{color:#0969da}code{font-size:13px}</style></head>
<body><h1>Training jobs</h1><p>A stand-in of the Qizhi platform. ${isolationWords[isolation]}</p>
<div class="scroll"><table><tr><th>Job</th><th>Status</th><th>GPUs</th><th>Created (UTC)</th><th>Queued</th><th>Ran</th><th>Command</th></tr>
${rows === '' ? '<tr><td colspan="7">No job yet.</td></tr>' : rows}
</table></div></body></html>`;
}

function cells(job: Job): readonly string[] {
  const now = Date.now();
  return [
    `${escape(String(job.request['name']))}<br><code>${job.id}</code>`,
    `${escape(told(job).status)}<br>${escape(told(job).reason)}`,
    String(gpusOf(job)),
    new Date(job.createdAt).toISOString().slice(0, 19).replace('T', ' '),
    seconds((job.runAt ?? job.finishedAt ?? now) - job.createdAt),
    job.runAt === null ? '' : seconds((job.finishedAt ?? now) - job.runAt),
    `<code>${escape(job.command)}</code><br><a href="/jobs/${job.id}/output">output of its container</a>`,
  ];
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
