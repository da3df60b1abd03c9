import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse as parseEnv } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { describeCommands } from '../../../client/reference/command-tree.ts';
import { createProgram } from '../../../client/cli/create-program.ts';
import { allKeys, definitionOf, zones } from '../../../infra/config/keys.ts';
import { queues } from '../../../workflows/contract.ts';

interface Service {
  readonly image: string;
  readonly restart: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly healthcheck?: object;
}

const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy');
const text = await readFile(join(deploy, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as { readonly services: Readonly<Record<string, Service>> };
const services = Object.entries(compose.services);

describe('the compose file', () => {
  it('follows the schema of the Compose Specification', async () => {
    const schema = join(import.meta.dirname, '..', '..', 'support', 'compose-schema', 'compose-spec.json');
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    const validate = ajv.compile(JSON.parse(await readFile(schema, 'utf8')) as object);
    validate(compose);
    expect(validate.errors).toBeNull();
    validate({ services: { postgresql: { image: 'postgres:16.10', port: ['1:1'] } } });
    expect(validate.errors?.map(({ instancePath }) => instancePath)).toContain('/services/postgresql');
  });

  it.each(services)('%s: a pinned image, loopback ports, a health check', (_name, service) => {
    expect(service.image).toMatch(/^[a-z/-]+:v?\d+\.\d+(?:\.\d+)?(?:-[a-z]+)?$/);
    for (const port of service.ports ?? [])
      expect(port).toMatch(/^(?:127\.0\.0\.1|\$\{TLS_BIND:-127\.0\.0\.1\}):\d+:\d+$/);
    // What prepares something ends, and is waited for; everything else must be able to say that it is well.
    if (service.restart !== 'no') expect(service.healthcheck).toBeDefined();
  });

  it('has no password of its own, and asks for each by name', () => {
    const secret = /PASSWORD|PWD|TOKEN|SECRET|API_KEY/;
    const given = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => secret.test(name)),
    );
    expect(given.length).toBeGreaterThan(3);
    for (const [name, value] of given) expect(value, name).toMatch(/^\$\{[A-Z_]+:\?.+\}$/);
  });

  it('explains every variable in compose.env.example, and no other', async () => {
    const used = new Set([...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name));
    const explained = parseEnv(await readFile(join(deploy, 'compose.env.example'), 'utf8'));
    expect(Object.keys(explained).toSorted()).toEqual(Array.from(used, String).toSorted());
  });

  it('mounts only files that are there', async () => {
    const files = services
      .flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''))
      .filter((path) => path.startsWith('.'));
    expect(files.length).toBeGreaterThan(5);
    for (const path of files) await expect(access(join(deploy, path)), path).resolves.toBeUndefined();
  });

  it('lets nobody but Temporal and its schema reach the database', () => {
    const near = services.filter(([, { networks }]) => networks.includes('database')).map(([name]) => name);
    expect(near).toEqual(['postgresql', 'temporal-schema', 'temporal']);
  });

  it('keeps the number of shards, and a retention', () => {
    expect(compose.services['temporal']?.environment?.['NUM_HISTORY_SHARDS']).toBe('512');
    expect(compose.services['temporal-namespace']?.environment?.['RETENTION']).toContain('90d');
  });

  it('has a worker for each zone, and a queue for each of them', () => {
    const served = services.flatMap(([, { command = [] }]) =>
      command[0] === 'worker' ? [command.at(-1)] : [],
    );
    expect(served).toEqual([...zones]);
    expect(Object.keys(queues).length).toBeGreaterThan(4);
  });

  it('calls commands that exist, with settings that exist and that their zone may hold', () => {
    const commands = describeCommands(program()).commands.map(({ path }) => path[0]);
    const own = services.filter(([, { image }]) => image.startsWith('hephaestus:'));
    expect(own.length).toBeGreaterThan(4);
    for (const [name, { command = [], environment = {} }] of own) {
      expect(commands, name).toContain(command[0]);
      for (const key of Object.keys(environment).filter((setting) => setting.startsWith('HEPHAESTUS_'))) {
        const known = allKeys().find((candidate) => candidate === key);
        expect(known, `${name}: ${key}`).toBeDefined();
        if (known !== undefined) expect(definitionOf(known).secrecy, key).toBeUndefined();
      }
    }
  });
});

describe('the units of systemd', () => {
  it.each(['hephaestus-worker@', 'hephaestus-webhook', 'hephaestus-codec-server'])(
    '%s calls a command that exists, and does not run as root',
    async (name) => {
      const unit = await readFile(join(deploy, 'systemd', `${name}.service`), 'utf8');
      const called = /^ExecStart=\/usr\/local\/bin\/hephaestus (\S+)/m.exec(unit)?.[1];
      expect(describeCommands(program()).commands.map(({ path }) => path[0])).toContain(called);
      expect(unit).toMatch(/^(?:User=hephaestus-%i|DynamicUser=yes)$/m);
      expect(unit).toMatch(/^RestartPreventExitStatus=2$/m);
    },
  );
});

function program() {
  return createProgram({
    env: {},
    cwd: '/',
    streams: process,
    signal: new AbortController().signal,
    openExperiments: () => {
      throw new Error('no command is run here');
    },
    program: 'hephaestus',
    exit: { code: 0 },
  });
}
