import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { openHome, refuseForeignHome, upgradeHome } from '../../../../client/up/prepare-home.ts';
import { checkDatabase, databaseFile, setDatabaseAside } from '../../../../infra/home/database.ts';
import { diskOf, kindOf } from '../../../../infra/home/disk-kind.ts';
import { readHomeState, writeHomeVersion } from '../../../../infra/home/home-version.ts';

let home: string;
const told: string[] = [];
const tell = (line: string): void => void told.push(line);
beforeEach(async () => {
  told.length = 0;
  home = await mkdtemp(join(tmpdir(), 'home-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe('its version', () => {
  it('is 0 before there was one, and current once it was upgraded', async () => {
    expect(await readHomeState(home)).toEqual({ status: 'older', version: 0 });
    await upgradeHome({ home, temporal: '1.9.1', tell });
    expect(await readHomeState(home)).toEqual({ status: 'current', temporal: '1.9.1' });
    expect(told).toEqual([]);
  });

  it('keeps a copy of the database before another Temporal opens it, once', async () => {
    await writeHomeVersion(home, '1.9.1');
    await writeFile(databaseFile(home), 'rows');
    await writeFile(`${databaseFile(home)}-wal`, 'more rows');
    await upgradeHome({ home, temporal: '1.10.0', tell });
    await upgradeHome({ home, temporal: '1.10.0', tell });
    expect(told).toHaveLength(1);
    expect((await readdir(home)).toSorted()).toEqual([
      'home.json',
      'temporal-before-1.10.0.db',
      'temporal-before-1.10.0.db-wal',
      'temporal.db',
      'temporal.db-wal',
    ]);
  });

  it.each(['hephaestus/home/v99', 'something else'])('%s is refused and left alone', async (schema) => {
    const text = JSON.stringify({ schema, temporal: null });
    await writeFile(join(home, 'home.json'), text);
    await expect(refuseForeignHome(home)).rejects.toThrow(schema);
    expect(await readFile(join(home, 'home.json'), 'utf8')).toBe(text);
  });
});

describe('its database', () => {
  const { python } = inject('tools');

  it('is whole when SQLite says so', async () => {
    expect(await checkDatabase(home, python)).toEqual({ status: 'missing' });
    await makeDatabase(databaseFile(home));
    expect(await checkDatabase(home, python)).toEqual({ status: 'whole' });
  });

  it.each([
    ['no database at all', (): Buffer => Buffer.from('no database '.repeat(500))],
    ['a page of something else', (bytes: Buffer): Buffer => bytes.fill('x', 4096, 3 * 4096)],
    ['half of it', (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2)],
  ])('is damaged when it holds %s, and can be set aside', async (_what, spoil) => {
    const file = databaseFile(home);
    await makeDatabase(file);
    await writeFile(file, spoil(await readFile(file)));
    expect(await checkDatabase(home, python)).toMatchObject({
      status: 'damaged',
      why: expect.stringMatching(/./),
    });
    const aside = await setDatabaseAside(home, 'aside');
    expect(await checkDatabase(home, python)).toEqual({ status: 'missing' });
    expect((await readFile(aside)).length).toBeGreaterThan(0);
  });

  async function makeDatabase(file: string): Promise<void> {
    const rows =
      'CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) INSERT INTO t SELECT hex(randomblob(50)) FROM n;';
    await execa(python, [
      '-c',
      'import sqlite3,sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])',
      file,
      rows,
    ]);
  }
});

describe('its disk', () => {
  it.each([
    [0x6969, 'network', 'NFS'],
    [-11317950, 'network', 'CIFS'],
    [0x65735546, 'unknown', 'FUSE'],
    [0xef53, 'local', ''],
    [0x01021994, 'local', ''],
  ])('of type %d is %s', (type, kind, name) => {
    expect(kindOf(type, 'linux')).toEqual({ kind, name });
    expect(kindOf(type, 'darwin')).toEqual({ kind: 'local', name: '' });
  });

  it('tells what is free', async () => {
    expect((await diskOf(home)).freeBytes).toBeGreaterThan(0);
  });

  it('must be one that can be written', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(openHome(join(home, 'file', 'home'), tell)).rejects.toThrow(
      'which cannot be written (ENOTDIR)',
    );
    await openHome(join(home, 'deep', 'home'), tell);
    expect(await readdir(join(home, 'deep'))).toEqual(['home']);
  });
});
