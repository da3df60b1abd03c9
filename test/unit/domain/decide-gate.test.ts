import { describe, expect, it } from 'vitest';

import { decideGate, type GatePolicy } from '../../../domain/decide-gate.ts';
import type { Check, PullRequestSnapshot, Review, ReviewThread } from '../../../domain/pull-request.ts';

const head = 'a'.repeat(40);
const older = 'b'.repeat(40);

const policy: GatePolicy = {
  headSha: head,
  requiredChecks: [],
  requireCopilot: false,
  reviewOverdue: false,
  repairsLeft: 1,
  ownChecks: [{ name: 'offline', passed: true, detail: 'W&B is offline', mendable: true, url: null }],
  taskNotePath: '.experiments/try-it/QWEN_TASK.md',
  taskNoteBlob: null,
};

const open: PullRequestSnapshot = {
  number: 1,
  url: 'https://example.test/1',
  state: 'open',
  draft: false,
  headSha: head,
  mergeCommitSha: null,
  reviews: [],
  threads: [],
  checks: [],
  copilotRequested: true,
};

const copilot: Review = {
  author: 'copilot-pull-request-reviewer[bot]',
  isBot: true,
  isCopilot: true,
  commitId: head,
  state: 'COMMENTED',
  body: '',
};

const person: Review = { ...copilot, author: 'ann', isBot: false, isCopilot: false };

const thread: ReviewThread = {
  id: 't1',
  author: 'copilot-pull-request-reviewer',
  isCopilot: true,
  path: 'train.py',
  line: 3,
  body: 'This divides by zero.\nReally.',
};

function check(name: string, state: Check['state']): Check {
  return { name, state, url: `https://example.test/${name}` };
}

interface Case {
  readonly what: string;
  readonly snapshot?: Partial<PullRequestSnapshot>;
  readonly policy?: Partial<GatePolicy>;
  readonly status: 'wait' | 'repair' | 'pass' | 'block';
  readonly reason: string;
}

const cases: readonly Case[] = [
  { what: 'nothing is asked for', status: 'pass', reason: 'offline: W&B is offline' },
  { what: 'it was closed by hand', snapshot: { state: 'closed' }, status: 'block', reason: 'closed' },
  { what: 'it was merged by hand', snapshot: { state: 'merged' }, status: 'block', reason: 'merged' },
  { what: 'the head moved', snapshot: { headSha: older }, status: 'block', reason: 'moved to bbbbbbb' },
  {
    what: 'an own check failed, whatever else is still awaited',
    policy: {
      ownChecks: [{ name: 'environment', passed: false, detail: 'not portable', mendable: false, url: null }],
      requireCopilot: true,
    },
    status: 'block',
    reason: 'environment: not portable',
  },
  {
    what: 'an own check failed that the coding agent can mend',
    policy: {
      ownChecks: [{ name: 'command', passed: false, detail: 'exit code 1', mendable: true, url: null }],
    },
    status: 'repair',
    reason: 'command: exit code 1',
  },
  {
    what: 'an own check failed that the coding agent could not mend in its tries',
    policy: {
      ownChecks: [{ name: 'command', passed: false, detail: 'exit code 1', mendable: true, url: null }],
      repairsLeft: 0,
    },
    status: 'block',
    reason: 'command: exit code 1',
  },
  {
    what: 'Copilot has not come',
    policy: { requireCopilot: true },
    status: 'wait',
    reason: "Copilot's review",
  },
  {
    what: 'Copilot reviewed only an older commit',
    snapshot: { reviews: [{ ...copilot, commitId: older }] },
    policy: { requireCopilot: true },
    status: 'wait',
    reason: "Copilot's review of aaaaaaa",
  },
  {
    what: 'a person reviewed, Copilot did not',
    snapshot: { reviews: [person] },
    policy: { requireCopilot: true },
    status: 'wait',
    reason: "Copilot's review",
  },
  {
    what: 'Copilot reviewed this commit',
    snapshot: { reviews: [copilot] },
    policy: { requireCopilot: true },
    status: 'pass',
    reason: 'Copilot reviewed',
  },
  {
    what: 'Copilot is overdue',
    policy: { requireCopilot: true, reviewOverdue: true },
    status: 'pass',
    reason: 'without it',
  },
  {
    what: 'a required check is missing',
    policy: { requiredChecks: ['ci'] },
    status: 'wait',
    reason: 'check ci',
  },
  {
    what: 'a required check is pending',
    snapshot: { checks: [check('ci', 'pending')] },
    policy: { requiredChecks: ['ci'] },
    status: 'wait',
    reason: 'check ci',
  },
  {
    what: 'a required check is green',
    snapshot: { checks: [check('ci', 'success')] },
    policy: { requiredChecks: ['ci'] },
    status: 'pass',
    reason: 'ci is green',
  },
  {
    what: 'a check that nobody requires failed',
    snapshot: { checks: [check('coverage', 'failure')] },
    status: 'pass',
    reason: 'offline',
  },
  {
    what: 'a required check failed',
    snapshot: { checks: [check('ci', 'failure')] },
    policy: { requiredChecks: ['ci'] },
    status: 'repair',
    reason: 'check ci: failed',
  },
  {
    what: 'a required check failed and no repair is left',
    snapshot: { checks: [check('ci', 'failure')] },
    policy: { requiredChecks: ['ci'], repairsLeft: 0 },
    status: 'block',
    reason: 'no repair is left',
  },
  {
    what: 'the base branch requires a check that has not come',
    snapshot: { required: ['lint'] },
    status: 'wait',
    reason: 'check lint',
  },
  {
    what: 'a check that the base branch requires failed',
    snapshot: { required: ['lint'], checks: [check('lint', 'failure')] },
    status: 'repair',
    reason: 'check lint: failed',
  },
  {
    what: 'the task note changed in the pull request',
    snapshot: { taskNoteBlob: older },
    policy: { taskNoteBlob: head },
    status: 'block',
    reason: '.experiments/try-it/QWEN_TASK.md in the pull request is not the one',
  },
  {
    what: 'the task note was taken away with a push',
    snapshot: { headSha: older, taskNoteBlob: null },
    policy: { taskNoteBlob: head },
    status: 'block',
    reason: 'is not the one',
  },
  {
    what: 'the task note is as it was',
    snapshot: { taskNoteBlob: head },
    policy: { taskNoteBlob: head },
    status: 'pass',
    reason: 'offline',
  },
  {
    what: 'Copilot left a thread',
    snapshot: { threads: [thread] },
    status: 'repair',
    reason: 'Copilot at train.py:3: This divides by zero.',
  },
  {
    what: 'there are findings, but not all have come in',
    snapshot: { threads: [thread] },
    policy: { requireCopilot: true },
    status: 'wait',
    reason: "Copilot's review",
  },
  {
    what: 'a person asked for changes of this commit',
    snapshot: { reviews: [{ ...person, state: 'CHANGES_REQUESTED', body: 'no' }] },
    status: 'repair',
    reason: 'ann: no',
  },
  {
    what: 'a person asked for changes of an older commit',
    snapshot: { reviews: [{ ...person, state: 'CHANGES_REQUESTED', commitId: older }] },
    status: 'pass',
    reason: 'offline',
  },
  {
    what: 'a person asked for changes and then approved',
    snapshot: {
      reviews: [
        { ...person, state: 'CHANGES_REQUESTED' },
        { ...person, state: 'APPROVED' },
      ],
    },
    status: 'pass',
    reason: 'offline',
  },
  {
    what: 'a person asked for changes and then only commented',
    snapshot: { reviews: [{ ...person, state: 'CHANGES_REQUESTED', body: 'no' }, person] },
    status: 'repair',
    reason: 'ann: no',
  },
  {
    what: 'of two checks of one name one is still pending',
    snapshot: { checks: [check('ci', 'pending'), check('ci', 'success')] },
    policy: { requiredChecks: ['ci'] },
    status: 'wait',
    reason: 'check ci',
  },
  {
    what: 'of two checks of one name one failed',
    snapshot: { checks: [check('ci', 'failure'), check('ci', 'success')] },
    policy: { requiredChecks: ['ci'] },
    status: 'repair',
    reason: 'check ci: failed',
  },
];

describe('decideGate', () => {
  it.each(cases)('answers $status when $what', ({ snapshot, policy: other, status, reason }) => {
    const answer = decideGate({ ...open, ...snapshot }, { ...policy, ...other });
    expect(answer.status).toBe(status);
    expect(answer.reasons.join('\n')).toContain(reason);
  });

  it('hands the whole text of a finding on to the repair', () => {
    const answer = decideGate({ ...open, threads: [thread] }, policy);
    expect(answer).toMatchObject({
      findings: [{ source: 'Copilot', path: 'train.py', line: 3, text: thread.body }],
    });
  });
});
