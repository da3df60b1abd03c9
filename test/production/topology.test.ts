import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';
import { afterAll, expect, it, vi } from 'vitest';

import { outcomes } from '../../domain/phase.ts';
import { processEnvironment } from '../../infra/env.ts';
import { freePort } from '../../infra/free-port.ts';
import { demoIdea } from '../../infra/lab/demo/idea.ts';
import { pause } from '../../infra/pause.ts';
import { ensureTools } from '../../infra/tools/ensure-tools.ts';
import { toolEnvironment } from '../../infra/tools/tool-environment.ts';
import { makeCertificates, type Certificates } from '../integration/temporal/tls-door.ts';
import { doorPortInside, refusedByDoor, startCloud } from './topology/cloud.ts';
import { openLabAs, type SeededLab } from './topology/lab-world.ts';
import { hostNetwork, openNetworkZone, type NetworkZone, type ZoneProcess } from './topology/network-zone.ts';
import { openPipes } from './topology/port-pipes.ts';
import { homeOf, makeHomes, toolsOf, uids, zoneStarter, type Who } from './topology/zone-homes.ts';
import { productionParts } from './topology/production-temporal.ts';

const checkout = join(import.meta.dirname, '..', '..');
const closers: (() => Promise<void>)[] = [];
const running: { readonly name: string; readonly child: ZoneProcess }[] = [];

const parts = await productionParts();

const keep = (name: string, child: ZoneProcess): void => void running.push({ name, child });
const portOf = (url: string): number => Number(new URL(url).port);

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

it.skipIf(typeof parts === 'string')(
  `an experiment goes its whole way over zones apart, on Temporal with Postgres${typeof parts === 'string' ? ` (needs ${parts})` : ''}`,
  { timeout: 1_200_000 },
  async () => {
    if (typeof parts === 'string') return;
    const folder = await openFolder();
    const program = await installPackage(folder);
    const [hookPort, doorPort] = [await freePort(), await freePort()];
    const tools = await ensureTools({ root: join(checkout, '.tools'), environment: processEnvironment() });
    const environment = toolEnvironment(processEnvironment());
    const hook = `http://127.0.0.1:${hookPort}/webhooks/github`;
    await makeHomes(folder, tools);
    const place = { folder: join(folder, 'lab'), tools: toolsOf(homeOf(folder, 'networked')), hook };
    const lab = await openLabAs(uids.networked, place, environment);
    closers.push(() => lab.close());
    const certificates = await makeZoneCertificates(folder);
    const { cloud, local } = await openNetworks(folder, lab, { hookPort, doorPort });
    const path = `${dirname(process.execPath)}:${environment['PATH'] ?? ''}`;
    await startCloud({ zone: cloud, folder, ...parts, temporal: tools.temporal, certificates, path, keep });

    const tls = { ca: await readFile(certificates.ca), server: `localhost:${doorPort}` };
    const ours = await clientTls(certificates, tls.ca);
    await vi.waitFor(
      async () => expect([await refusedByDoor(tls.server, ours), ended()]).toEqual([null, []]),
      { timeout: 60_000, interval: 500 },
    );
    expect(await refusedByDoor(tls.server, { serverRootCACertificate: tls.ca })).not.toBeNull();

    const machine = { ...environment, PATH: path };
    const start = zoneStarter({ folder, program, machine, lab, doorPort });
    keep('control', await start(cloud, 'control', 'hephaestus-worker@.service'));
    keep('webhook', await start(cloud, 'webhook', 'hephaestus-webhook.service'));
    keep('networked', await start(hostNetwork, 'networked', 'hephaestus-worker@.service'));
    keep('local', await start(local, 'local', 'hephaestus-worker@.service'));

    const reaches = async (network: Pick<NetworkZone, 'start'>, who: Who, url: string): Promise<boolean> => {
      const look = `fetch(${JSON.stringify(url)}).then(() => process.exit(0), () => process.exit(7))`;
      const { exitCode } = await (await start(network, who, ['node', '-e', look])).ended;
      expect([0, 7]).toContain(exitCode);
      return exitCode === 0;
    };
    expect(await reaches(cloud, 'control', lab.github.url)).toBe(true);
    expect(await reaches(local, 'local', lab.github.url)).toBe(false);
    expect(await reaches(cloud, 'control', lab.models.url)).toBe(false);

    const ask = async (...args: string[]): Promise<string> => {
      const child = await start(local, 'local', [program, ...args]);
      const { exitCode, output } = await child.ended;
      expect(exitCode, output).toBe(0);
      return output;
    };
    await ask('start', '--idea', demoIdea.idea, '--repo', 'lab/digits', '--id', demoIdea.id);
    await becomes(ask, 'deciding');
    await ask('merge', demoIdea.id, '--by', 'the test');
    await becomes(ask, 'merged');
    const vault = join(folder, 'state', 'hephaestus-local', 'vault');
    const [note = ''] = (await readdir(vault)).filter((name) => name.endsWith(`-${demoIdea.id}.md`));
    expect(await readFile(join(vault, note), 'utf8')).toMatch(/^status: merged$/m);
  },
);

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-topology-'));
  // Each zone's own folder is closed to the others; this one must let them pass.
  await chmod(folder, 0o755);
  closers.push(() => rm(folder, { recursive: true, force: true }));
  closers.push(async () => {
    for (const { child } of running.toReversed()) {
      await child.stop();
    }
  });
  return folder;
}

/** As docs/deployment.md says: packed in the checkout, installed for everybody. Returns the program. */
async function installPackage(folder: string): Promise<string> {
  await execa('npm', ['pack', '--pack-destination', folder], { cwd: checkout });
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const prefix = join(folder, 'usr');
  await execa('npm', ['install', '--global', '--prefix', prefix, '--prefer-offline', join(folder, packed)]);
  return join(prefix, 'bin', 'hephaestus');
}

async function makeZoneCertificates(folder: string): Promise<Certificates> {
  const tls = join(folder, 'tls');
  await mkdir(tls);
  const certificates = await makeCertificates(tls);
  for (const zone of ['local', 'networked'] as const) {
    for (const end of ['crt', 'key']) await chown(join(tls, `${zone}.${end}`), uids[zone], uids[zone]);
  }
  await Promise.all([tls, certificates.ca].map((path) => chmod(path, 0o755)));
  return certificates;
}

async function clientTls({ clientCert, clientKey }: Certificates, ca: Buffer) {
  const [crt, key] = await Promise.all([readFile(clientCert), readFile(clientKey)]);
  return { serverRootCACertificate: ca, clientCertPair: { crt, key } };
}

/** The cloud and the PI's machine with what each may reach; the networked zone is where the Internet is. */
async function openNetworks(
  folder: string,
  lab: SeededLab,
  { hookPort, doorPort }: { readonly hookPort: number; readonly doorPort: number },
): Promise<{ readonly cloud: NetworkZone; readonly local: NetworkZone }> {
  const socket = (name: string): string => join(folder, `${name}.sock`);
  const [github, qizhi, models] = [lab.github, lab.qizhi, lab.models].map(({ url }) => portOf(url)) as [
    number,
    number,
    number,
  ];
  const cloud = await openNetworkZone([
    { from: github, to: socket('github') },
    { from: qizhi, to: socket('qizhi') },
    { from: socket('door'), to: doorPortInside },
    { from: socket('hook'), to: 8787 },
  ]);
  closers.push(() => cloud.close());
  const local = await openNetworkZone([
    { from: doorPort, to: socket('door') },
    { from: models, to: socket('models') },
  ]);
  closers.push(() => local.close());
  const closePipes = await openPipes([
    { from: socket('github'), to: github },
    { from: socket('qizhi'), to: qizhi },
    { from: socket('models'), to: models },
    { from: hookPort, to: socket('hook') },
    { from: doorPort, to: socket('door') },
  ]);
  closers.push(async () => closePipes());
  return { cloud, local };
}

/** Fails at once with what was said when a process of a zone has ended, or when the experiment ends otherwise. */
async function becomes(ask: (...args: string[]) => Promise<string>, phase: string): Promise<void> {
  for (;;) {
    expect(ended()).toEqual([]);
    const shown = JSON.parse(await ask('show', demoIdea.id, '--json')) as { phase: string };
    if (shown.phase === phase) return;
    expect(outcomes, await ask('show', demoIdea.id)).not.toContain(shown.phase);
    await pause(2000);
  }
}

/** What every process said that should still be running. */
function ended(): string[] {
  return running.flatMap(({ name, child }) => {
    const end = child.end();
    return end === null ? [] : [`${name} ended with ${end.exitCode}: ${end.output.slice(-2000)}`];
  });
}
