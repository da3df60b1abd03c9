import { loadClientConnectConfig } from '@temporalio/envconfig';

import type { Environment } from '../env.ts';
import type { TemporalSettings } from './config.ts';
import { given, type Reader } from './reader.ts';

/** Temporal's own names, read by its own library (which also knows profiles in `temporal.toml`). */
export function readTemporal(env: Environment, reader: Reader): TemporalSettings {
  const fallback = { address: '', namespace: '' };
  const uiUrl = reader.url('HEPHAESTUS_TEMPORAL_UI_URL') ?? '';
  const apiKey = reader.text('TEMPORAL_API_KEY');
  try {
    const names = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_') || name.endsWith('HOME'));
    const own = Object.fromEntries(
      names.flatMap((name) => {
        const value = given(env, name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    const { connectionOptions, namespace } = loadClientConnectConfig({
      overrideEnvVars: { ...own, ...(apiKey !== undefined && { TEMPORAL_API_KEY: apiKey }) },
    });
    const address = connectionOptions.address ?? reader.text('TEMPORAL_ADDRESS') ?? '';
    checkAddress(address, reader);
    return {
      address,
      namespace: namespace ?? reader.text('TEMPORAL_NAMESPACE') ?? '',
      connectionOptions: withoutUndefined({ ...connectionOptions, address }),
      uiUrl,
    };
  } catch (error) {
    const found = `settings that Temporal's own reader refuses (${error instanceof Error ? error.message : String(error)})`;
    const todo = "see Temporal's page on environment configuration";
    reader.complain({ key: 'TEMPORAL_*', found, expected: 'a profile and files that can be read', todo });
    return { ...fallback, connectionOptions: {}, uiUrl };
  }
}

function checkAddress(address: string, reader: Reader): void {
  const port = Number(/:(\d+)$/.exec(address)?.[1] ?? Number.NaN);
  if (port > 0 && port < 65_536 && !address.includes('/')) return;
  const problem = { key: 'TEMPORAL_ADDRESS', found: JSON.stringify(address) };
  reader.complain({ ...problem, expected: 'host:port without http://', todo: '' });
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
