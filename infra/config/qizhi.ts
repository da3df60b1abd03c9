import type { QizhiCredential, QizhiSettings } from '../settings.ts';
import type { Reader } from './reader.ts';

const surfaces = ['openapi', 'v2'] as const;
const credentialKinds = ['login', 'token', 'cookie'] as const;
const givenKeys = { token: 'QIZHI_ACCESS_TOKEN', cookie: 'QIZHI_SESSION_COOKIE' } as const;

/** How the platform is asked: the surface, the credential that fits it, the rate. */
export function readQizhi(reader: Reader): QizhiSettings {
  const api = reader.oneOf('QIZHI_API', surfaces);
  return {
    baseUrl: reader.url('QIZHI_BASE_URL') ?? '',
    api,
    credential: readCredential(reader, api),
    clientSource: readClientSource(reader),
    proxy: reader.url('QIZHI_PROXY', ['http:', 'https:', 'socks5:']),
    requestsPerSecond: reader.number('QIZHI_REQUESTS_PER_SECOND', { min: 0.1, max: 1000 }),
  };
}

function readCredential(reader: Reader, api: QizhiSettings['api']): QizhiCredential {
  const kind = reader.oneOf('QIZHI_V2_CREDENTIAL', credentialKinds);
  complainOfUnused(reader, api, kind);
  if (api === 'v2' && (kind === 'token' || kind === 'cookie')) {
    const key = givenKeys[kind];
    const todo =
      kind === 'token'
        ? 'QIZHI_V2_CREDENTIAL=token needs an access token of Keycloak'
        : 'QIZHI_V2_CREDENTIAL=cookie needs the value of the cookie inspire-session';
    const value = reader.required(key, todo);
    if (kind === 'cookie') checkCookie(reader, value);
    return { kind, value, file: reader.secretFile(key) };
  }
  return {
    kind: 'login',
    username: reader.required('QIZHI_USERNAME', 'the account that the jobs run under'),
    password: reader.required('QIZHI_PASSWORD', 'the password of QIZHI_USERNAME'),
  };
}

/** What is given and never used is a misunderstanding, and a secret that lies about for nothing. */
function complainOfUnused(
  reader: Reader,
  api: QizhiSettings['api'],
  kind: (typeof credentialKinds)[number],
): void {
  if (api === 'openapi' && kind !== 'login' && credentialKinds.includes(kind)) {
    reader.complain({
      key: 'QIZHI_V2_CREDENTIAL',
      found: `"${kind}" with QIZHI_API=openapi`,
      expected: '"login": openapi knows nothing else',
      todo: 'set QIZHI_API=v2, or remove it',
    });
  }
  for (const [its, key] of Object.entries(givenKeys)) {
    if (reader.text(key) === undefined || (api === 'v2' && kind === its)) continue;
    reader.complain({
      key,
      found: 'a credential that is not used',
      expected: `it only with QIZHI_API=v2 and QIZHI_V2_CREDENTIAL=${its}`,
      todo: 'set these, or remove it',
    });
  }
}

/** People copy the whole header, or several cookies. */
function checkCookie(reader: Reader, value: string): void {
  if (!/[;,]/.test(value) && !value.startsWith('inspire-session=')) return;
  reader.complain({
    key: 'QIZHI_SESSION_COOKIE',
    found: `a secret of ${value.length} characters that is more than a value`,
    expected: 'the value of inspire-session alone',
    todo: 'copy what stands between "inspire-session=" and the next ";"',
  });
}

function readClientSource(reader: Reader): string {
  const value = reader.text('QIZHI_CLIENT_SOURCE') ?? '';
  if (/^[\x21-\x7e]{1,100}$/.test(value)) return value;
  reader.complain({
    key: 'QIZHI_CLIENT_SOURCE',
    found: JSON.stringify(value.slice(0, 80)),
    expected: 'up to 100 printable ASCII characters without blanks',
    todo: '',
  });
  return value;
}
