import { Failure } from '../../infra/failure.ts';
import { createQizhiClient } from '../../infra/qizhi/client.ts';
import type { QizhiSettings } from '../../infra/settings.ts';
import { good, type Check } from './finding.ts';

const system = 'qizhi' as const;
/** No job has it: what is asked is whether the platform talks to this account at all. */
const noJob = 'job-00000000-0000-0000-0000-000000000000';

/**
 * One login, never a second one in a run (wrong passwords lock the account for longer each time), and one question about a
 * job that does not exist.
 */
export function checkQizhi(settings: QizhiSettings, timeoutMs: number): Check {
  return {
    system,
    look: async () => {
      const client = createQizhiClient(settings, { timeoutMs, oneLogin: true });
      try {
        await client.getJob(noJob);
      } catch (error) {
        if (!(error instanceof Failure) || error.type !== 'JobNotFound') throw error;
      }
      const how =
        settings.credential.kind === 'login'
          ? `the login of ${settings.credential.username}`
          : `the given ${settings.credential.kind}`;
      return [good(system, `${settings.baseUrl} takes ${how} and answers on ${settings.api}`)];
    },
  };
}
