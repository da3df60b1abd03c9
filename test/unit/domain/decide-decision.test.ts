import { describe, expect, it } from 'vitest';

import { decideDecision, type DecisionContext } from '../../../domain/decide-decision.ts';
import { decisionKinds, type DecisionKind, type DecisionRequest } from '../../../domain/decision.ts';
import { outcomes, phases } from '../../../domain/phase.ts';

const head = 'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0';

const deciding: DecisionContext = {
  phase: 'deciding',
  evidenceAttempt: 1,
  evidenceHead: head,
  decided: false,
  attemptsLeft: 1,
  gpuHoursLeft: 1,
  stalled: false,
};

function request(kind: DecisionKind, more: Partial<DecisionRequest> = {}): DecisionRequest {
  return { kind, by: 'pi', ...(kind === 'revise' && { instructions: 'more epochs' }), ...more };
}

const everywhere = [...phases, ...outcomes].flatMap((phase) =>
  decisionKinds.map((kind) => [phase, kind] as const),
);

const over: readonly string[] = [...outcomes, 'merging', 'recording'];

describe('decideDecision', () => {
  it.each(everywhere)('in phase %s answers %s', (phase, kind) => {
    const evidenceHead = phase === 'deciding' ? head : null;
    const answer = decideDecision(request(kind), { ...deciding, phase, evidenceHead });
    const accepted = !over.includes(phase) && (kind === 'stop' || phase === 'deciding');
    expect(answer.status).toBe(accepted ? 'accept' : 'refuse');
    if (answer.status === 'refuse') expect(answer.why).toContain(phase);
  });

  it.each(phases.filter((phase) => phase !== 'deciding'))(
    'does not take the evidence of an earlier round for one about phase %s',
    (phase) => {
      expect(decideDecision(request('merge'), { ...deciding, phase }).status).toBe('refuse');
    },
  );

  it.each(decisionKinds)('refuses a second word while the first is carried out: %s', (kind) => {
    const answer = decideDecision(request(kind), { ...deciding, decided: true });
    expect(answer).toMatchObject({
      status: 'refuse',
      why: expect.stringContaining('another decision') as string,
    });
  });

  it.each([
    [head, 'accept'],
    [head.slice(0, 7), 'accept'],
    [head.toUpperCase(), 'accept'],
    [undefined, 'accept'],
    ['b'.repeat(40), 'refuse'],
    [head.slice(1), 'refuse'],
    [head.slice(0, 6), 'refuse'],
    ['', 'refuse'],
    [`${head}0`, 'refuse'],
  ])('binds a decision to the head %s', (given, status) => {
    for (const kind of ['merge', 'reject', 'revise', 'rerun'] as const) {
      expect(decideDecision(request(kind, { head: given }), deciding).status).toBe(status);
    }
  });

  it.each(decisionKinds)(
    'takes %s without evidence when the jobs left only a person to help, but never merges',
    (kind) => {
      const stalled: DecisionContext = {
        ...deciding,
        phase: 'submitting',
        evidenceAttempt: 1,
        evidenceHead: null,
        stalled: true,
      };
      expect(decideDecision(request(kind), stalled).status).toBe(kind === 'merge' ? 'refuse' : 'accept');
      expect(decideDecision(request('rerun'), { ...stalled, attemptsLeft: 0 }).status).toBe('refuse');
    },
  );

  it('names both heads when they differ', () => {
    const answer = decideDecision(request('merge', { head: 'b'.repeat(40) }), deciding);
    expect(answer).toMatchObject({ why: expect.stringContaining(head.slice(0, 12)) as string });
  });

  it.each([undefined, '', '  \n'])('refuses to revise with the instructions %j', (instructions) => {
    expect(decideDecision(request('revise', { instructions }), deciding).status).toBe('refuse');
  });

  it.each(['revise', 'rerun'] as const)('refuses to %s when the GPU hours are used up', (kind) => {
    const answer = decideDecision(request(kind), { ...deciding, gpuHoursLeft: 0 });
    expect(answer).toMatchObject({
      status: 'refuse',
      why: expect.stringContaining('budget.gpu_hours') as string,
    });
  });

  it.each(['revise', 'rerun'] as const)('refuses to %s when the attempts are used up', (kind) => {
    const answer = decideDecision(request(kind), { ...deciding, attemptsLeft: 0 });
    expect(answer).toMatchObject({ status: 'refuse', why: expect.stringContaining('budget') as string });
  });

  it.each([
    [undefined, 'accept'],
    [[3, 4], 'accept'],
    [[], 'refuse'],
    [[1, 1], 'refuse'],
    [[-1], 'refuse'],
    [[1.5], 'refuse'],
    [[Number.NaN], 'refuse'],
    [Array.from({ length: 33 }, (_, seed) => seed), 'refuse'],
  ])('judges the seeds %j of a rerun', (seeds, status) => {
    expect(decideDecision(request('rerun', { seeds }), deciding).status).toBe(status);
  });
});
