import { experimentWorkflowId } from '../domain/ids.ts';
import type { TemporalSettings } from '../infra/config/config.ts';
import type { Execution } from './seen-experiment.ts';

const executions: Readonly<Record<string, Execution>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed out',
};

/** Temporal's name of a status in plain words; one that is not an end is `running`, a paused workflow included. */
export function executionOf(name: string): Execution {
  return executions[name] ?? 'running';
}

/** The other way round of `experimentWorkflowId`. */
export function experimentIdOf(workflowId: string): string {
  return workflowId.slice(experimentWorkflowId('').length);
}

/** A workflow's page in the Web UI. */
export function workflowUrl(settings: TemporalSettings, workflowId: string, runId: string): string {
  const path = [settings.namespace, 'workflows', workflowId, runId].map(encodeURIComponent).join('/');
  return `${settings.uiUrl}/namespaces/${path}/history`;
}
