/** Does nothing of what was asked, in all the ways in which a gateway or a network has been seen to say so. */
const refusing = [
  { kind: 'drop' },
  { kind: 'too-many' },
  { kind: 'too-many', retryAfterSeconds: 1 },
  { kind: 'html' },
  { kind: 'bad-gateway' },
  { kind: 'gateway-timeout' },
  { kind: 'empty' },
] as const;

/** Does what was asked, and spoils the answer. */
const spoiling = [
  { kind: 'commit-then-drop' },
  { kind: 'commit-then-500' },
  { kind: 'commit-then-html' },
  { kind: 'commit-then-timeout', delayMs: 4000 },
  { kind: 'half-json' },
  { kind: 'slow-body', delayMs: 400 },
] as const;

const loginNeeded = [
  { kind: 'login-redirect' },
  { kind: 'token-expired', mode: 'code' },
  { kind: 'token-expired', mode: '401' },
  { kind: 'token-expired', mode: '302' },
] as const;

const quota = {
  kind: 'reject',
  code: 100_000,
  message: '总项目配额不足：运行上限 16 卡，提交上限 40 卡，超出总提交配额限制，该任务提交失败',
} as const;

/** Every kind of fault of every question, each met by this share of the requests. */
export function chaosFaults(rate: number, seed: number): object[] {
  const slow = { kind: 'delay', delayMs: 400 };
  const byQuestion = {
    token: [...refusing, { kind: 'half-json' }, { kind: 'slow-body', delayMs: 400 }, slow],
    create: [...refusing, ...spoiling, ...loginNeeded, { kind: 'commit-without-job-id' }, quota, slow],
    detail: [...refusing, ...spoiling, ...loginNeeded, slow],
    stop: [...refusing, ...spoiling, ...loginNeeded, slow],
  };
  return Object.entries(byQuestion)
    .flatMap(([on, faults]) => faults.map((fault) => ({ ...fault, on, rate })))
    .map((fault, index) => ({ ...fault, seed: seed * 1000 + index }));
}
