import { pino, type DestinationStream, type Logger } from 'pino';

import type { LogLevel } from './config/config.ts';

/** Fields of a log line that may hold a credential, at the top and one or two levels below. */
const secretFields = [
  'authorization',
  'Authorization',
  'cookie',
  'token',
  'pushToken',
  'apiKey',
  'api_key',
  'password',
  'secret',
  'privateKey',
  'access_token',
];

/**
 * The log of a process outside the workflow sandbox: one JSON object a line on standard error (standard output belongs
 * to answers), credentials replaced by name of field. It is the second fence only: secrets have no business in a log
 * line in the first place.
 */
export function createLog(level: LogLevel, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[redacted]',
      },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
