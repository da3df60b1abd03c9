import { proxyActivities } from '@temporalio/workflow';

const { answer } = proxyActivities<{ answer(words: string): Promise<string> }>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds' },
});

/** Asks an activity, so that payloads go both ways. */
export async function EchoWorkflow(words: string): Promise<string> {
  return answer(words);
}
