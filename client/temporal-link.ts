import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';

import type { FailureType } from '../domain/failure.ts';
import type { TemporalSettings } from '../infra/config/config.ts';
import { createDataConverter } from '../infra/temporal/codec/create-data-converter.ts';
import { ClientError } from './client-error.ts';
import { rpcCode, rpcCodes } from './rpc-error.ts';

/** An open connection to Temporal and how long it is waited for. */
export interface TemporalLink {
  readonly client: Client;
  readonly settings: TemporalSettings;
  /** Runs calls with a time limit in ms. A connection that fails throws `ClientError` (`unreachable`). */
  within<T>(ms: number, call: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Temporal's own ten tries take longer than a person at a terminal, or GitHub, will wait. */
const tries = 4;

/** Connects when the first call needs it, so that a server can start before Temporal does. */
export function openTemporalLink(settings: TemporalSettings): TemporalLink {
  const connection = Connection.lazy(connectOptions(settings));
  const client = new Client({
    connection,
    namespace: settings.namespace,
    dataConverter: createDataConverter(settings.payloads, { from: 'client' }),
  });
  return {
    client,
    settings,
    async within(ms, call) {
      try {
        return await connection.withDeadline(Date.now() + ms, call);
      } catch (error) {
        throw toRefused(error) ?? toUnreachable(error, settings) ?? error;
      }
    },
    close: () => connection.close(),
  };
}

/** The worker's and the client's connections differ in types that neither uses here. */
function connectOptions({ connectionOptions }: TemporalSettings): Parameters<typeof Connection.lazy>[0] {
  const { address, apiKey, tls, metadata } = connectionOptions;
  return {
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: tries }))],
    ...(address !== undefined && { address }),
    ...(apiKey !== undefined && { apiKey }),
    ...(tls !== undefined && { tls }),
    ...(metadata !== undefined && { metadata }),
  };
}

const holdsSecret: FailureType = 'PayloadHoldsSecret';

/** What the person gave was not sent. */
function toRefused(error: unknown): ClientError | undefined {
  if (!(error instanceof ApplicationFailure) || error.type !== holdsSecret) return undefined;
  return new ClientError('refused', error.message, error);
}

function toUnreachable(error: unknown, settings: TemporalSettings): ClientError | undefined {
  const where = `Temporal at ${settings.address} (namespace ${settings.namespace})`;
  if (error instanceof NamespaceNotFoundError) {
    const todo = 'create it, or set TEMPORAL_NAMESPACE';
    return new ClientError('unreachable', `${where} has no such namespace: ${todo}.`, error);
  }
  switch (rpcCode(error)) {
    case rpcCodes.unauthenticated:
    case rpcCodes.permissionDenied: {
      const todo = 'check TEMPORAL_API_KEY and TEMPORAL_TLS_*';
      return new ClientError('unreachable', `${where} refused the credentials: ${todo}.`, error);
    }
    case rpcCodes.unavailable:
    case rpcCodes.deadlineExceeded:
    case rpcCodes.cancelled: {
      const todo = 'start it (`hephaestus up`, or `temporal server start-dev`), or set TEMPORAL_ADDRESS';
      return new ClientError('unreachable', `${where} cannot be reached: ${todo}.`, error);
    }
    case undefined:
    default:
      return undefined;
  }
}
