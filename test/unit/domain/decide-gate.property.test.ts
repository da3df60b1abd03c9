import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { decideGate, type GatePolicy, type OwnCheck } from '../../../domain/decide-gate.ts';
import type { Check, PullRequestSnapshot, Review, ReviewThread } from '../../../domain/pull-request.ts';

const shas = ['a', 'b'].map((letter) => letter.repeat(40)) as [string, string];
const names = ['ci', 'lint', 'tests'] as const;

const check = fc.record<Check>({
  name: fc.constantFrom(...names),
  state: fc.constantFrom('success', 'success', 'pending', 'failure'),
  url: fc.option(fc.webUrl()),
});

const review = fc
  .record({
    author: fc.constantFrom('ann', 'bob', 'Copilot'),
    commitId: fc.constantFrom(...shas),
    state: fc.constantFrom<Review['state']>('APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED'),
    body: fc.string(),
  })
  .map((one): Review => ({ ...one, isBot: one.author === 'Copilot', isCopilot: one.author === 'Copilot' }));

const thread = fc.record<ReviewThread>({
  id: fc.uuid(),
  author: fc.constantFrom('ann', 'Copilot'),
  isCopilot: fc.boolean(),
  path: fc.string(),
  line: fc.option(fc.nat()),
  body: fc.string(),
});

const snapshots = fc.record<PullRequestSnapshot>({
  number: fc.constant(1),
  url: fc.constant('https://example.test/1'),
  state: fc.constantFrom('open', 'open', 'open', 'closed', 'merged'),
  draft: fc.boolean(),
  headSha: fc.constantFrom(shas[0], shas[0], shas[1]),
  mergeCommitSha: fc.constant(null),
  reviews: fc.array(review, { maxLength: 4 }),
  threads: fc.oneof(fc.constant([]), fc.array(thread, { maxLength: 2 })),
  checks: fc.array(check, { maxLength: 4 }),
  copilotRequested: fc.boolean(),
  required: fc.subarray([...names]),
  taskNoteBlob: fc.constantFrom('note', 'note', 'other'),
});

const ownCheck = fc.record<OwnCheck>({
  name: fc.constantFrom('environment', 'command'),
  passed: fc.constantFrom(true, true, true, false),
  detail: fc.string(),
  mendable: fc.boolean(),
  url: fc.constant(null),
});

const policies = fc.record<GatePolicy>({
  headSha: fc.constant(shas[0]),
  requiredChecks: fc.subarray([...names]),
  requireCopilot: fc.boolean(),
  reviewOverdue: fc.boolean(),
  repairsLeft: fc.nat({ max: 2 }),
  ownChecks: fc.array(ownCheck, { maxLength: 3 }),
  taskNotePath: fc.constant('QWEN_TASK.md'),
  taskNoteBlob: fc.constantFrom('note', null),
});

/** Counted, because a property whose case never comes up would say nothing. */
function always(holds: (snapshot: PullRequestSnapshot, policy: GatePolicy) => void): void {
  fc.assert(fc.property(snapshots, policies, holds), { numRuns: 2000, seed: 7 });
}

function required(snapshot: PullRequestSnapshot, policy: GatePolicy): string[] {
  return [...policy.requiredChecks, ...(snapshot.required ?? [])];
}

it('passes only the head, the note and the checks that it is about, with everything green and nothing open', () => {
  let passed = 0;
  always((snapshot, policy) => {
    if (decideGate(snapshot, policy).status !== 'pass') return;
    passed += 1;
    expect(snapshot).toMatchObject({ state: 'open', headSha: policy.headSha, threads: [] });
    if (policy.taskNoteBlob !== null) expect(snapshot.taskNoteBlob).toBe(policy.taskNoteBlob);
    expect(policy.ownChecks.every((one) => one.passed)).toBe(true);
    for (const name of required(snapshot, policy)) {
      const named = snapshot.checks.filter((one) => one.name === name);
      expect(named.length).toBeGreaterThan(0);
      expect(named.every(({ state }) => state === 'success')).toBe(true);
    }
    if (policy.requireCopilot && !policy.reviewOverdue) {
      expect(snapshot.reviews.some((one) => one.isCopilot && one.commitId === policy.headSha)).toBe(true);
    }
  });
  expect(passed).toBeGreaterThan(20);
});

it('sends back only what can be mended, while a repair is left, and always says what', () => {
  let repaired = 0;
  always((snapshot, policy) => {
    const answer = decideGate(snapshot, policy);
    expect(answer.reasons.length > 0 || answer.status === 'pass').toBe(true);
    if (answer.status !== 'repair') return;
    repaired += 1;
    expect(policy.repairsLeft).toBeGreaterThan(0);
    expect(answer.findings.length).toBe(answer.reasons.length);
    expect(policy.ownChecks.every((one) => one.passed || one.mendable)).toBe(true);
  });
  expect(repaired).toBeGreaterThan(20);
});

it('waits only for what can still come', () => {
  always((snapshot, policy) => {
    if (decideGate(snapshot, policy).status !== 'wait') return;
    const all = { ...snapshot, checks: names.map((name): Check => ({ name, state: 'success', url: null })) };
    expect(decideGate(all, { ...policy, reviewOverdue: true }).status).not.toBe('wait');
  });
});

it('does not hear what was said of another commit, nor in which order checks and threads come', () => {
  always((snapshot, policy) => {
    const { status } = decideGate(snapshot, policy);
    const foreign = snapshot.reviews.filter(
      ({ commitId, state }) => commitId === snapshot.headSha || state !== 'COMMENTED',
    );
    const turned = {
      ...snapshot,
      reviews: foreign,
      checks: snapshot.checks.toReversed(),
      threads: snapshot.threads.toReversed(),
    };
    expect(decideGate(turned, policy).status).toBe(status);
  });
});

it('shows a line for everything that it looked at, and none of them failed where it passes', () => {
  always((snapshot, policy) => {
    const { status, lines = [] } = decideGate(snapshot, policy);
    const shown = new Set(lines.map(({ name }) => name));
    for (const name of required(snapshot, policy)) expect(shown).toContain(`check ${name}`);
    for (const { name } of policy.ownChecks) expect(shown).toContain(name);
    if (status === 'pass') expect(lines.filter(({ state }) => state !== 'passed')).toEqual([]);
  });
});
