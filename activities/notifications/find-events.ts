import type { NotificationEvent } from '../../domain/notification.ts';
import { outcomes } from '../../domain/phase.ts';
import { personWaits } from '../../domain/waits-for.ts';
import type { LabExperiment } from '../../infra/temporal/lab-reader.ts';

/** What a look at the lab has to tell of one experiment; `pageUrl`: of the page for people, where it is known. */
export function findEvents(seen: LabExperiment, pageUrl: string | null): NotificationEvent[] {
  const { id, runId, execution, status } = seen;
  const base = {
    experimentId: id,
    title: status?.title ?? id,
    verdict: status?.evidence?.verdict.sentence ?? '',
    cost: status?.cost ?? { gpuHours: seen.gpuHours ?? 0, tokens: 0 },
    links: [
      ...(pageUrl === null ? [] : [{ label: 'the experiment', url: `${pageUrl}/experiments/${id}` }]),
      ...(status?.pullRequest
        ? [{ label: `pull request #${status.pullRequest.number}`, url: status.pullRequest.url }]
        : []),
    ],
  };
  if (execution === 'RUNNING' || execution === 'PAUSED') {
    if (status === null) return [];
    return personWaits(status).map(({ kind, mark, sentence }) => ({
      ...base,
      key: `${id}/${runId}/${kind}/${mark}`,
      kind,
      phase: status.phase,
      sentence,
    }));
  }
  return [
    { ...base, key: `${id}/${runId}/ended`, kind: 'ended', phase: endOf(seen), sentence: reasonOf(seen) },
  ];
}

function endOf({ outcome, status, execution }: LabExperiment): string {
  const told = outcome ?? status?.phase ?? '';
  // What was terminated by hand still tells the phase in which it was.
  return (outcomes as readonly string[]).includes(told) ? told : execution.toLowerCase().replace('_', ' ');
}

function reasonOf({ status }: LabExperiment): string {
  if (status === null) return '';
  const { failure, decision } = status;
  if (failure !== null) return `${failure.type}: ${failure.message}`;
  if (decision === null) return '';
  return `By the word of ${decision.by}${decision.reason === undefined ? '.' : `: ${decision.reason}`}`;
}
