import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy');

interface ComposeService {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What `deploy/docker-compose.yml` says of a service, with the variables of `deploy/.env` put in as Compose does. */
export async function composeService(
  name: string,
  variables: Readonly<Record<string, string>>,
): Promise<ComposeService> {
  const text = await readFile(join(deploy, 'docker-compose.yml'), 'utf8');
  const filled = text.replaceAll(
    /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g,
    (_whole, variable: string, kind: string | undefined, words: string | undefined) =>
      variables[variable] ?? (kind === '-' ? (words ?? '') : ''),
  );
  const { services } = parse(filled, { merge: true }) as {
    readonly services: Readonly<Record<string, Partial<ComposeService>>>;
  };
  const { image = '', environment = {} } = services[name] ?? {};
  if (image === '') throw new Error(`docker-compose.yml has no service ${name}`);
  return { image, environment };
}

export function deployFile(...path: readonly string[]): string {
  return join(deploy, ...path);
}

export interface UnitFile {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How systemd would start a unit of `deploy/systemd`; `state`: the folder that `%S` stands for. */
export async function unitFile(
  file: string,
  {
    instance,
    state,
    program,
  }: { readonly instance: string; readonly state: string; readonly program: string },
): Promise<UnitFile> {
  const text = await readFile(join(deploy, 'systemd', file), 'utf8');
  const read = (key: string): string => {
    const line = new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];
    if (line === undefined) throw new Error(`${file} has no ${key}`);
    return line.replaceAll('%i', instance).replaceAll('%S', state);
  };
  const [binary = '', ...rest] = read('ExecStart').split(' ');
  if (binary !== '/usr/local/bin/hephaestus') throw new Error(`${file} starts ${binary}`);
  const pairs = read('Environment')
    .split(' ')
    .map((pair) => pair.split('=', 2) as [string, string]);
  return { command: [program, ...rest], environment: Object.fromEntries(pairs) };
}
