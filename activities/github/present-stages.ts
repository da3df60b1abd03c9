import type { ExperimentStatus, PhaseRecord } from '../../domain/experiment.ts';
import { duration } from './duration.ts';

/** One stage of the way: how long, since when, and where its result can be looked at ('' where nowhere). */
export interface PresentedStage {
  readonly phase: string;
  readonly time: string;
  readonly url: string;
}

export function presentStage(
  { phase, startedAt, endedAt }: PhaseRecord,
  status: ExperimentStatus,
): PresentedStage {
  const time =
    endedAt === null
      ? `since ${minute(startedAt)}`
      : `${duration(Date.parse(endedAt) - Date.parse(startedAt))}, from ${minute(startedAt)}`;
  return { phase, time, url: urlOf(phase, status) };
}

function urlOf(phase: PhaseRecord['phase'], status: ExperimentStatus): string {
  const { pullRequest, headSha, mergeSha, attempts } = status;
  if (pullRequest === null) return '';
  const repository = pullRequest.url.replace(/\/pull\/\d+$/, '');
  switch (phase) {
    case 'implementing':
    case 'freezing':
      return headSha === null ? '' : `${repository}/commit/${headSha}`;
    case 'proposing':
      return `${pullRequest.url}/files`;
    case 'reviewing':
      return `${pullRequest.url}/checks`;
    case 'queued':
    case 'training':
    case 'syncing':
    case 'reporting':
      return attempts.at(-1)?.jobs.find(({ runUrl }) => runUrl !== null)?.runUrl ?? '';
    case 'merging':
      return mergeSha === null ? '' : `${repository}/commit/${mergeSha}`;
    case 'planning':
    case 'submitting':
    case 'deciding':
    case 'recording':
      return '';
  }
}

/** An ISO 8601 time as people read it. */
export function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}
