import type { DataConverter } from '@temporalio/common';

import type { PayloadSettings } from '../../config/config.ts';
import { createEncryptingCodec } from './create-encrypting-codec.ts';
import { createSecretGuard } from './create-secret-guard.ts';
import { readPayloadKeys } from './payload-keys.ts';

/**
 * How payloads go to Temporal and come back. `from` is what writes them: everything enters an experiment by a client or
 * as the answer of an activity, and is looked through for secrets there; workflows only pass on what has been, and a
 * refusal in one would only hold it up.
 *
 * Throws `PayloadKeysError` where the file of keys was damaged since the configuration was read.
 */
export function createDataConverter(
  settings: PayloadSettings | undefined,
  { from }: { readonly from: 'client' | 'activities' | 'workflows' },
): DataConverter {
  const { keysFile = null, holdsOwnSecret = () => false } = settings ?? {};
  return {
    payloadCodecs: [
      ...(from === 'workflows' ? [] : [createSecretGuard(holdsOwnSecret)]),
      ...(keysFile === null ? [] : [createEncryptingCodec(() => readPayloadKeys(keysFile))]),
    ],
  };
}
