import { resolve } from 'node:path';

import type { Environment } from '../env.ts';
import type { ConfigProblem } from './config-error.ts';
import type { Config } from './config.ts';
import { allKeys, definitionOf, zones, type Key, type Zone } from './keys.ts';
import { readGemini, readQwen, readSharedDisk, readWandb, type LoadConfigOptions } from './load-config.ts';
import { readGithub } from './github.ts';
import { readPayloads } from './payloads.ts';
import { readQizhi } from './qizhi.ts';
import { createReader, given, type Reader } from './reader.ts';
import { readTemporal } from './temporal.ts';
import { findUnknownKeys } from './unknown-keys.ts';

/** A part of the configuration, read by itself. */
export type Part<T> =
  | { readonly status: 'read'; readonly value: T }
  /** Nothing wrong stands there: credentials are missing that are perhaps not wanted here. */
  | { readonly status: 'missing'; readonly keys: readonly string[] }
  | { readonly status: 'wrong'; readonly problems: readonly ConfigProblem[] };

type Parts = { readonly [K in PartName]: Part<NonNullable<Config[K]>> };
type PartName = 'temporal' | 'github' | 'qizhi' | 'wandb' | 'gemini' | 'qwen' | 'sharedDisk';

/** What can be used of a configuration in which something may be missing or wrong. */
export interface PartialConfig extends Parts {
  /** Absolute. */
  readonly home: string;
  /** Names that are like ours and are not. */
  readonly unknown: readonly ConfigProblem[];
}

/** Reads every part by itself, so that what is wrong with one does not hide the others. Never throws. */
export function loadPartially({ env, cwd }: Pick<LoadConfigOptions, 'env' | 'cwd'>): PartialConfig {
  const home = resolve(cwd, createReader(env, cwd, []).text('HEPHAESTUS_HOME') ?? '');
  const part = <T>(read: (reader: Reader) => T): Part<T> => {
    const problems: ConfigProblem[] = [];
    const value = read(createReader(env, cwd, problems));
    if (problems.length === 0) return { status: 'read', value };
    const missing = problems.filter(({ key }) => isMissing(env, key));
    if (missing.length < problems.length) return { status: 'wrong', problems };
    return { status: 'missing', keys: missing.map(({ key }) => key) };
  };
  return {
    home,
    unknown: findUnknownKeys(env),
    temporal: part((reader) => ({ ...readTemporal(env, reader), payloads: readPayloads(env, cwd, reader) })),
    github: part(readGithub),
    qizhi: part(readQizhi),
    wandb: part(readWandb),
    gemini: part(readGemini),
    qwen: part(readQwen),
    sharedDisk: part((reader) => readSharedDisk(reader, home, cwd)),
  };
}

/** The zones that may hold a key; all for what is no key of ours. */
export function zonesOf(key: string): readonly Zone[] {
  const known = allKeys().find((candidate) => candidate === key);
  return known === undefined ? zones : definitionOf(known satisfies Key).zones;
}

function isMissing(env: Environment, key: string): boolean {
  return given(env, key) === undefined && given(env, `${key}_FILE`) === undefined;
}
