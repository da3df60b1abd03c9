/**
 * The closed list of failure types. The `type` of every `ApplicationFailure` in this project is one of these; each has
 * its cause and cure in `docs/failures.md` (a test holds both directions).
 *
 * `retry`: Temporal tries again by itself. `final`: trying the same again cannot help.
 */
export const failureTypes = {
  // planning
  TaskNoteInvalid: 'final',
  // agents
  AgentFailed: 'retry',
  AgentOutputInvalid: 'final',
  AgentUnavailable: 'retry',
  AgentRefused: 'final',
  AgentBudgetSpent: 'final',
  // code
  RepositoryNotFound: 'final',
  BaseBranchNotFound: 'final',
  ChangeOutsidePaths: 'final',
  ChangeEmpty: 'final',
  ChangeUnsafe: 'final',
  ChangeCheckFailed: 'final',
  GitFailed: 'retry',
  PushRefused: 'final',
  // environment
  EnvironmentLockMismatch: 'final',
  EnvironmentBuildFailed: 'final',
  EnvironmentNotPortable: 'final',
  // shared disk
  SharedDiskFull: 'retry',
  SharedDiskReadOnly: 'retry',
  SharedDiskUnavailable: 'retry',
  AttemptConflict: 'final',
  // GitHub
  GithubUnauthorized: 'final',
  GithubForbidden: 'final',
  GithubNotFound: 'final',
  GithubRateLimited: 'retry',
  GithubUnavailable: 'retry',
  GithubInvalid: 'final',
  GateUnchanged: 'retry',
  NothingSaid: 'retry',
  HeadMoved: 'final',
  NotMergeable: 'final',
  BaseMoved: 'final',
  // Qizhi
  QizhiUnauthorized: 'final',
  QizhiForbidden: 'final',
  QizhiInvalid: 'final',
  QizhiQuotaRefused: 'final',
  QizhiRateLimited: 'retry',
  QizhiUnavailable: 'retry',
  QizhiConflict: 'retry',
  JobNotFound: 'final',
  JobUnchanged: 'retry',
  RecordsUnchanged: 'retry',
  SubmissionUnknown: 'final',
  // jobs
  JobFailed: 'final',
  JobRefused: 'final',
  JobStopped: 'final',
  JobPreempted: 'final',
  JobTimedOut: 'final',
  JobQueueOut: 'final',
  JobNotStarted: 'final',
  JobLost: 'final',
  JobDisplaced: 'final',
  JobNeverLogged: 'final',
  // W&B
  WandbUnauthorized: 'final',
  WandbUnavailable: 'retry',
  WandbRunDeleted: 'final',
  WandbLogCorrupt: 'final',
  WandbNotAcknowledged: 'retry',
  WandbRowsSurplus: 'final',
  WandbRunHeld: 'retry',
  MirrorWaiting: 'retry',
  WandbResultMissing: 'final',
  LiveUnchanged: 'retry',
  // notes
  VaultConflict: 'retry',
  VaultUnavailable: 'retry',
  // notifications
  NothingToTell: 'retry',
  NotificationUnavailable: 'retry',
  NotificationRefused: 'retry',
  // what goes into histories
  PayloadHoldsSecret: 'retry',
  // the workflow itself
  BudgetExceeded: 'final',
  DecisionRefused: 'final',
} as const satisfies Record<string, 'retry' | 'final'>;

export type FailureType = keyof typeof failureTypes;

export function isFailureType(value: unknown): value is FailureType {
  return typeof value === 'string' && Object.hasOwn(failureTypes, value);
}
