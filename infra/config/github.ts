import { createPrivateKey } from 'node:crypto';

import type { GithubAppSettings, GithubSettings, GitSettings } from '../settings.ts';
import type { Reader } from './reader.ts';

const tokenTodo =
  'make a token that may write contents, pull requests and commit statuses, or sign in as a GitHub App (GITHUB_APP_ID)';

/** A token, a GitHub App, or both: the App then does what only it can, and the token what no App can. */
export function readGithub(reader: Reader): GithubSettings {
  const apiUrl = reader.url('GITHUB_API_URL') ?? '';
  const app = readApp(reader);
  return {
    apiUrl,
    serverUrl: reader.url('GITHUB_SERVER_URL') ?? '',
    uploadsUrl: reader.url('GITHUB_UPLOADS_URL') ?? uploadsOf(apiUrl),
    token: app === undefined ? reader.required('GITHUB_TOKEN', tokenTodo) : reader.text('GITHUB_TOKEN'),
    app,
  };
}

function readApp(reader: Reader): GithubAppSettings | undefined {
  const keys = ['GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY', 'GITHUB_APP_INSTALLATION_ID'] as const;
  if (keys.every((key) => reader.text(key) === undefined)) return undefined;
  return {
    id: number(reader, 'GITHUB_APP_ID', "copy the App ID from the App's settings page"),
    privateKey: privateKey(reader),
    installationId: number(
      reader,
      'GITHUB_APP_INSTALLATION_ID',
      "copy the number at the end of the installation's address (Settings, Applications, Configure)",
    ),
  };
}

function number(reader: Reader, key: 'GITHUB_APP_ID' | 'GITHUB_APP_INSTALLATION_ID', todo: string): number {
  const value = reader.required(key, todo);
  if (/^\d{1,15}$/.test(value) || value === '') return Number(value);
  reader.complain({ key, found: JSON.stringify(value), expected: 'a number', todo });
  return 0;
}

/** In one line, as environments often hold it, or in many. */
function privateKey(reader: Reader): string {
  const key = 'GITHUB_APP_PRIVATE_KEY';
  const todo =
    "generate a private key on the App's settings page, and give the file as GITHUB_APP_PRIVATE_KEY_FILE";
  const value = reader.required(key, todo).replaceAll(String.raw`\n`, '\n');
  if (value === '' || isPrivateKey(value)) return value;
  reader.complain({ key, found: `${value.length} characters`, expected: 'a private key as PEM', todo });
  return value;
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    // Node names a bad key by words alone, which may quote it.
    return false;
  }
}

/** An Enterprise Server takes no uploads; Enterprise Cloud with data residency has its own name in place of github.com. */
function uploadsOf(apiUrl: string): string | undefined {
  if (!URL.canParse(apiUrl)) return undefined;
  const { protocol, host } = new URL(apiUrl);
  return host === 'api.github.com' || /^api\.[^.]+\.ghe\.com$/.test(host)
    ? `${protocol}//${host.replace('api.', 'uploads.')}`
    : undefined;
}

/** A process that serves the control zone as well may push with that zone's token: it holds it anyway. */
export function readGit(reader: Reader, servesControl: boolean): GitSettings {
  const shared = servesControl ? reader.text('GITHUB_TOKEN') : undefined;
  const own = reader.text('GITHUB_PUSH_TOKEN') ?? shared;
  const todo = 'make a token that may write contents of the experiment repositories and nothing else';
  // Where the control zone is served and signs in as an App, there is no token of its own to push with.
  const required = !servesControl || reader.text('GITHUB_APP_ID') !== undefined;
  return {
    serverUrl: reader.url('GITHUB_SERVER_URL') ?? '',
    pushToken: own ?? (required ? reader.required('GITHUB_PUSH_TOKEN', todo) : ''),
  };
}
