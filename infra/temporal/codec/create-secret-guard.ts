import { ApplicationFailure, type Payload, type PayloadCodec } from '@temporalio/common';

import type { FailureType } from '../../../domain/failure.ts';
import { secretKinds } from '../../secrets/secret-patterns.ts';

const type: FailureType = 'PayloadHoldsSecret';

/**
 * Refuses payloads that hold a credential of this process (`holdsOwnSecret` tells) or look like a well-known kind of credential, before they leave this
 * process: a history is kept for months and read by everybody who may see the Web UI. Decoding lets everything pass.
 *
 * Throws an `ApplicationFailure`, because it runs outside of the boundary that makes one of everything else.
 */
export function createSecretGuard(holdsOwnSecret: (text: string) => boolean): PayloadCodec {
  return {
    encode: async (payloads) => {
      for (const payload of payloads) refuseSecrets(payload, holdsOwnSecret);
      return payloads;
    },
    decode: async (payloads) => payloads,
  };
}

function refuseSecrets({ data }: Payload, holdsOwnSecret: (text: string) => boolean): void {
  if (data === undefined || data === null) return;
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  const kinds = [
    ...(holdsOwnSecret(text) ? ["one of this process's own credentials"] : []),
    ...secretKinds(text),
  ];
  if (kinds.length === 0) return;
  throw ApplicationFailure.create({
    type,
    message:
      `A payload of ${data.byteLength} bytes holds what looks like ${kinds.join(' and ')}: expected none on its way into a ` +
      'history. Remove it from where it came from (a task note, an instruction, a comment, a log), and change it if it was real.',
  });
}
