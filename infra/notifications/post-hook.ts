import { Failure } from '../failure.ts';
import type { HookRequest } from './chat-requests.ts';

/** Longer than any bot takes on a bad day. */
const answerLimitMs = 20_000;
const longestAnswer = 16_384;

/**
 * Posts one message and returns once the receiver has said that it took it. Feishu and DingTalk answer 200 to what they
 * refuse, with a code in the body. Throws `Failure`: `NotificationUnavailable`, `NotificationRefused`; no message names
 * the address, which holds the bot's key.
 */
export async function postHook(channel: string, request: HookRequest): Promise<void> {
  const where = `${channel} at ${new URL(request.url).host}`;
  let status: number;
  let text: string;
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerLimitMs),
    });
    status = response.status;
    text = (await response.text()).slice(0, longestAnswer);
  } catch (error) {
    const why =
      error instanceof Error && error.name === 'TimeoutError'
        ? 'gave no answer in time'
        : 'cannot be reached';
    throw new Failure(
      'NotificationUnavailable',
      `${where} ${why}: expected an answer of HTTP; check the network`,
      {
        cause: error,
      },
    );
  }
  if (status === 429 || status >= 500) {
    throw new Failure('NotificationUnavailable', `${where} answered ${status}: it is tried again`);
  }
  if (status < 200 || status >= 300) {
    throw new Failure(
      'NotificationRefused',
      `${where} answered ${status}, expected 2xx: check its address and that the bot still exists`,
    );
  }
  const code = codeIn(text);
  if (code !== null && code !== 0) {
    throw new Failure(
      'NotificationRefused',
      `${where} answered with code ${code}, expected 0: check its secret, keywords and allowed addresses`,
    );
  }
}

/** The code by which a bot tells what it thinks; null where it tells none. */
function codeIn(text: string): number | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    // Slack answers with a word, and somebody's own program with anything.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof answer !== 'object' || answer === null) return null;
  const { errcode, code, StatusCode } = answer as Record<string, unknown>;
  const told = errcode ?? code ?? StatusCode;
  return typeof told === 'number' ? told : null;
}
