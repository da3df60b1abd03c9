import { resolve } from 'node:path';

import { ownSecretFinder } from '../secrets/own-secret-finder.ts';
import { PayloadKeysError, readPayloadKeys } from '../temporal/codec/payload-keys.ts';
import type { CodecSettings, PayloadSettings } from './config.ts';
import { allKeys, definitionOf } from './keys.ts';
import { createReader, type Reader } from './reader.ts';
import type { Environment } from '../env.ts';

const shortestToken = 16;

/** The keys are read once here, so that a damaged file is told with everything else that is wrong. */
export function readPayloads(env: Environment, cwd: string, reader: Reader): PayloadSettings {
  const file = reader.text('HEPHAESTUS_PAYLOAD_KEYS_FILE');
  const keysFile = file === undefined ? null : resolve(cwd, file);
  if (keysFile !== null) {
    try {
      readPayloadKeys(keysFile);
    } catch (error) {
      if (!(error instanceof PayloadKeysError)) throw error;
      const expected = 'the keys of encrypted payloads, the same in every zone';
      reader.complain({ key: 'HEPHAESTUS_PAYLOAD_KEYS_FILE', found: error.message, expected, todo: '' });
    }
  }
  return { keysFile, holdsOwnSecret: ownSecretFinder(readOwnSecrets(env, cwd)) };
}

/** The codec server; its keys are required. */
export function readCodecServer(reader: Reader): CodecSettings {
  reader.required('HEPHAESTUS_PAYLOAD_KEYS_FILE', 'name the file of `hephaestus payload-keys new`');
  const todo = 'make one, for example with `openssl rand -hex 24`';
  const token = reader.required('HEPHAESTUS_CODEC_TOKEN', `whoever knows it sees clear text: ${todo}`);
  if (token !== '' && token.length < shortestToken) {
    const found = `a secret of ${token.length} characters`;
    reader.complain({ key: 'HEPHAESTUS_CODEC_TOKEN', found, expected: `at least ${shortestToken}`, todo });
  }
  return {
    host: reader.text('HEPHAESTUS_CODEC_HOST') ?? '',
    port: reader.number('HEPHAESTUS_CODEC_PORT', { min: 0, max: 65_535, whole: true }),
    token,
  };
}

/** Whatever opens a door and stands in this process's environment or in files that it names. */
function readOwnSecrets(env: Environment, cwd: string): readonly string[] {
  // What is wrong with one is told where its section is read.
  const reader = createReader(env, cwd, []);
  return allKeys().flatMap((key) => {
    if (definitionOf(key).secrecy !== 'credential') return [];
    const value = reader.text(key);
    return value === undefined ? [] : [value];
  });
}
