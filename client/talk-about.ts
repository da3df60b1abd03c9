import type { Material } from '../domain/material.ts';
import { experimentWorkflowId } from '../domain/ids.ts';
import type { Remark } from '../domain/remark.ts';
import { materialQuery, remarkSignal } from '../workflows/contract.ts';
import { ClientError } from './client-error.ts';
import { describeExperiment } from './see-experiment.ts';
import type { TemporalLink } from './temporal-link.ts';

const deadlineMs = 10_000;

/** What a discussion of the experiment needs. Throws `ClientError`: `not-found`, `unreachable` (also when no worker answers). */
export async function readMaterial(link: TemporalLink, id: string): Promise<Material> {
  const { runId } = await describeExperiment(link, id);
  const handle = link.client.workflow.getHandle(experimentWorkflowId(id), runId);
  try {
    return await link.within(deadlineMs, () => handle.query(materialQuery));
  } catch (error) {
    if (error instanceof ClientError) {
      const todo = 'no worker answers for it; start one with `hephaestus worker --zone control`';
      throw new ClientError('unreachable', `The evidence of "${id}" cannot be had: ${todo}.`, error);
    }
    throw error;
  }
}

/** Keeps a remark with the experiment. False when it has ended: its note is written. Throws `ClientError`: `not-found`, `unreachable`. */
export async function keepRemark(link: TemporalLink, id: string, remark: Remark): Promise<boolean> {
  const { status } = await describeExperiment(link, id);
  if (status.name !== 'RUNNING') return false;
  await link.within(deadlineMs, () =>
    link.client.workflow.getHandle(experimentWorkflowId(id)).signal(remarkSignal, remark),
  );
  return true;
}
