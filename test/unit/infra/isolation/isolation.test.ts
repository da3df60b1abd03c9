import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  detectIsolation,
  isolatedCommand,
  missingGuarantees,
  type Isolation,
  type IsolationOptions,
} from '../../../../infra/isolation/isolation.ts';

let folder: string;
let server: Server;
let port: number;
const kind = await detectIsolation();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isolation test '));
  server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
  });
  await rm(folder, { recursive: true, force: true });
});

async function run(way: Isolation, argv: string[], options?: IsolationOptions) {
  const [program, ...args] = isolatedCommand(way, argv, options);
  return execa(program, args, { reject: false, cwd: folder });
}

const connect = () => [
  'python3',
  '-c',
  `import socket\ntry:\n  socket.create_connection(("127.0.0.1", ${port}), 5); print("connected")\nexcept OSError: print("refused")`,
];

describe('isolatedCommand', () => {
  it('leaves the command alone when there is no isolation', async () => {
    expect(isolatedCommand('none', ['a', 'b c'])).toEqual(['a', 'b c']);
    expect((await run('none', connect())).stdout).toBe('connected');
  });

  it('refuses an empty command', () => {
    expect(() => isolatedCommand('none', [])).toThrow(/empty argv/);
  });

  it.skipIf(kind === 'none')('keeps a process from the network', async () => {
    expect((await run(kind, connect())).stdout).toBe('refused');
  });

  it('keeps a process from the network by a filter, but leaves it unix sockets', async () => {
    expect((await run('seccomp', connect())).stdout).toBe('refused');
    const pair = 'import socket; socket.socketpair(); socket.socket(socket.AF_UNIX); print("fine")';
    expect((await run('seccomp', ['python3', '-c', pair])).stdout).toBe('fine');
  });

  it.each(['namespaces', 'seccomp', 'none'] as const)(
    'passes arguments and the exit code on: %s',
    async (way) => {
      if (way === 'namespaces' && kind !== 'namespaces') return;
      const nasty = ['', 'a b', '$HOME', "it's", 'two\nlines', '-x', '3'];
      const script = 'for a in "$@"; do printf "<%s>" "$a"; done; exit 7';
      const result = await run(way, ['sh', '-c', script, 'name', ...nasty], {
        hide: [folder],
        bindReadOnly: ['/usr'],
      });
      expect(result.stdout).toBe(nasty.map((argument) => `<${argument}>`).join(''));
      expect(result.exitCode).toBe(7);
    },
  );

  it.skipIf(kind !== 'namespaces')(
    'hides folders, shows some of what is in them read-only, names the host',
    async () => {
      const shown = join(folder, 'hidden', 'deep', 'shown');
      await mkdir(shown, { recursive: true });
      await writeFile(join(shown, 'file'), 'seen');
      await writeFile(join(folder, 'hidden', 'secret'), 'x');
      const script = `hostname; cat "${shown}/file"; echo; ls "${folder}/hidden"; echo x > "${shown}/file" || echo read-only`;
      const result = await run('namespaces', ['sh', '-c', script], {
        hostName: 'job-1234',
        hide: [join(folder, 'hidden'), join(folder, 'not there')],
        bindReadOnly: [shown],
      });
      expect(result.stdout.split('\n')).toEqual(['job-1234', 'seen', 'deep', 'read-only']);
      expect(await readFile(join(shown, 'file'), 'utf8')).toBe('seen');
    },
  );

  it.skipIf(kind !== 'namespaces').each(['', 'beside/'])(
    'shows folders and files at places that do not exist here: below "/%s"',
    async (place) => {
      const real = join(folder, 'real');
      await mkdir(join(real, 'inner'), { recursive: true });
      await writeFile(join(real, 'file'), 'seen');
      const below = place === '' ? '/' : `${folder}/`;
      const to = `${below}elsewhere-${process.pid}/deep/disk`;
      const script = [
        `cat "${to}/file"; echo`,
        `(echo x > "${to}/file") 2>/dev/null || echo read-only`,
        `echo new > "${to}/inner/new" && cat "${to}/inner/new"`,
        `cat "${to}.txt"; echo`,
        `ls -d "${real}" /usr /.hephaestus* 2>/dev/null | wc -l`,
      ].join('\n');
      const result = await run('namespaces', ['sh', '-c', script], {
        bind: [
          { from: real, to },
          { from: join(real, 'inner'), to: `${to}/inner`, writable: true },
          { from: join(real, 'file'), to: `${to}.txt` },
        ],
        userId: 65_534,
      });
      expect(result.stdout.split('\n')).toEqual(['seen', 'read-only', 'new', 'seen', '2']);
      expect(await readFile(join(real, 'inner', 'new'), 'utf8')).toBe('new\n');
      await expect(readFile(join(to, 'file'))).rejects.toThrow('ENOENT');
    },
  );

  it.skipIf(kind !== 'namespaces')('can make the process see itself as another user', async () => {
    expect((await run('namespaces', ['id', '-u'], { userId: 65_534 })).stdout).toBe('65534');
  });

  it.skipIf(kind !== 'namespaces')('says so and runs nothing when the isolation fails', async () => {
    const result = await run('namespaces', ['echo', 'ran'], { bindReadOnly: [join(folder, 'missing')] });
    expect(result).toMatchObject({ exitCode: 125, stdout: '' });
    expect(result.stderr).toContain('missing');
  });
});

describe('missingGuarantees', () => {
  it('promises everything only with namespaces', () => {
    expect(missingGuarantees('namespaces')).toEqual([]);
    expect(missingGuarantees('seccomp').join(' ')).not.toMatch(/network/);
    expect(missingGuarantees('none').join(' ')).toMatch(/network/);
  });
});
