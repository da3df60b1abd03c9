import { setHandler } from '@temporalio/workflow';

import type { Material } from '../domain/material.ts';
import { longestRemark, mostRemarks, type Remark } from '../domain/remark.ts';
import { materialQuery, remarkSignal } from './contract.ts';
import { statusOf, type Experiment } from './experiment-state.ts';

/** Hears what is said about the evidence, and gives out what is needed to talk about it. Installed before the first await. */
export function listenToRemarks(experiment: Experiment): void {
  setHandler(
    remarkSignal,
    (remark) => {
      const heard = readRemark(remark);
      if (heard !== null) experiment.remarks = [...experiment.remarks, heard].slice(-mostRemarks);
    },
    { description: 'A question about the evidence and its answer: { by, at, question, answer, answeredBy }' },
  );
  setHandler(materialQuery, () => materialOf(experiment), {
    description: 'What a discussion of the results needs',
  });
}

/** From the Web UI it may be anything at all; what says nothing is passed over. */
function readRemark(remark: Partial<Remark> | undefined): Remark | null {
  const question = words(remark?.question);
  const answer = words(remark?.answer);
  if (question === '' && answer === '') return null;
  const by = words(remark?.by) || 'somebody in the Temporal Web UI';
  const at = words(remark?.at) || new Date(Date.now()).toISOString();
  return { by, at, question, answer, answeredBy: words(remark?.answeredBy) || 'nobody' };
}

function words(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, longestRemark) : '';
}

function materialOf(experiment: Experiment): Material {
  return {
    status: statusOf(experiment),
    note: experiment.note,
    body: experiment.body,
    curves: experiment.pictures.flatMap(({ lines = [] }) => lines),
    pictures: experiment.pictures.flatMap(({ url }) => url ?? []),
    diff: experiment.implementation?.diff ?? '',
  };
}
