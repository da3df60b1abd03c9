import type { Account } from './accounts.ts';
import { loginRedirect, openapiEnvelope, v2Envelope, type Answer, type Envelope } from './answers.ts';
import { answerBefore, spoil, type Fault, type Question } from './faults.ts';
import type { Platform } from './platform.ts';
import type { LiveSettings, Settings } from './settings.ts';
import type { SurfaceName } from './validate-create.ts';

export interface Call {
  readonly on: Question;
  readonly surface: SurfaceName;
  /** Its name on `/api/v2`, '' elsewhere. */
  readonly action: string;
  readonly raw: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `drop`: the connection is closed without an answer. */
export type Outcome = Answer | 'drop';
export type FrontDoor = (call: Call, fault: Fault | undefined) => Promise<Outcome>;

export interface FrontDoorOptions {
  readonly settings: LiveSettings;
  readonly account: Account;
  readonly platform: Platform;
}

/** What stands before the platform: faults that were asked for, credentials, and the envelope of each surface. */
export function createFrontDoor({ settings, account, platform }: FrontDoorOptions): FrontDoor {
  function refusesCredential(call: Call, envelope: Envelope): Answer | undefined {
    if (call.on === 'token') return undefined;
    const { v2, token } = settings.current;
    const { authorization } = call.headers;
    if (call.surface === 'openapi') {
      return account.accepts(textOf(authorization)) ? undefined : envelope.expired(token.expired);
    }
    if (v2.clientSource && textOf(call.headers['x-inspire-client-source']) === '') return loginRedirect();
    const good = v2.credentials.some((kind) => opens(kind, call, v2, account));
    return good ? undefined : envelope.expired(token.expired);
  }

  return async (call, fault) => {
    const envelope = call.surface === 'v2' ? v2Envelope(call.action) : openapiEnvelope;
    if (fault?.kind === 'drop') return 'drop';
    const early = fault === undefined ? undefined : answerBefore(fault, envelope);
    const refused = early ?? refusesCredential(call, envelope);
    if (refused !== undefined) return refused;
    const body = parse(call.raw);
    if (body === undefined) return envelope.refusal({ kind: 'body', message: '参数校验错误' });
    if (call.on === 'token') return spoil(account.logIn(body), fault, envelope);
    const { on, raw, surface } = call;
    const result = await platform({ on, body, raw, surface });
    const answer = 'data' in result ? envelope.success(result.data) : envelope.refusal(result.refusal);
    return spoil(answer, fault, envelope);
  };
}

function opens(
  kind: Settings['v2']['credentials'][number],
  { headers }: Call,
  v2: Settings['v2'],
  account: Account,
): boolean {
  const authorization = textOf(headers['authorization']);
  switch (kind) {
    case 'token':
      return account.accepts(authorization);
    case 'cookie':
      return textOf(headers['cookie'])
        .split(';')
        .some((each) => each.trim() === `inspire-session=${v2.session}`);
    case 'keycloak':
      return authorization === `Bearer ${v2.keycloakToken}`;
  }
}

function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join('; ') : (header ?? '');
}

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
