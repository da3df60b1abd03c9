import { join } from 'node:path';
import type { Writable } from 'node:stream';

import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

import type { Environment } from '../../infra/env.ts';
import { checkDatabase, databaseFile } from '../../infra/home/database.ts';
import type { Service } from '../../infra/supervisor/supervise.ts';
import { devServerArguments } from '../../infra/temporal/dev-server.ts';
import { childEnvironment } from '../../infra/tools/tool-environment.ts';
import { ClientError } from '../client-error.ts';
import { EndedBadlyError } from '../cli/cli-errors.ts';
import type { LocalAddress } from './local-address.ts';
import { damaged } from './prepare-home.ts';

export interface TemporalServiceOptions {
  readonly temporal: string;
  readonly python: string;
  readonly home: string;
  readonly address: LocalAddress;
  readonly environment: Environment;
  readonly program: string;
  readonly log: Writable;
}

/** Ended histories are kept for so long; what must stay for ever is in the pull request and the note. */
const retention = '90 days';
const lookMs = 1000;
/** Busy is not dead. */
const aliveMs = 10_000;
/** Ends without having served once, one after the other, after which somebody has to look. */
const patience = 4;

/** Temporal's own server with its Web UI, on an SQLite file in the home. */
export function temporalService(options: TemporalServiceOptions): Service {
  const { temporal, home, address, environment, log } = options;
  return {
    name: 'Temporal',
    argv: [temporal, ...devServerArguments({ ...address, databaseFile: databaseFile(home) })],
    cwd: home,
    // It needs no credential of ours.
    environment: childEnvironment(environment),
    lock: join(home, 'temporal.lock'),
    graceSeconds: 5,
    log,
    readyWithinMs: 60_000,
    isReady: () => servesNamespace(address, lookMs),
    isAlive: () => servesNamespace(address, aliveMs),
    judgeEnds: async (ends) => {
      const last = ends.at(-1);
      if (last?.locked === true) {
        return new ClientError(
          'refused',
          `Another process has the database ${databaseFile(home)} open, perhaps in another container: end it first.`,
        );
      }
      if (ends.length < patience) return null;
      const state = await checkDatabase(home, options.python);
      if (state.status === 'damaged') return damaged(options, state.why);
      return new EndedBadlyError(
        `Temporal ended ${ends.length} times before it answered (exit code ${last?.code ?? ''}). Its last words:\n${last?.words ?? ''}`,
      );
    },
  };
}

/** A connection of its own each time: one that was refused waits longer and longer before it tries again. */
async function servesNamespace({ port, namespace }: LocalAddress, withinMs: number): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: withinMs });
    try {
      const deadline = Date.now() + withinMs;
      await connection.withDeadline(deadline, () => keepHistories(connection, namespace));
      return true;
    } finally {
      await connection.close();
    }
  } catch (error) {
    // Refused, reset, too early for the namespace: whatever it is, it does not serve yet, and is asked again.
    if (error instanceof Error) return false;
    throw error;
  }
}

async function keepHistories(connection: Connection, namespace: string): Promise<void> {
  const wanted = msToTs(retention);
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const kept = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  if (kept >= Number(wanted.seconds)) return;
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: wanted },
  });
}
