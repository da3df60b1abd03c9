import { readFile, writeFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { expect, it } from 'vitest';

import { cliReference } from '../../../../client/reference/write-reference.ts';
import { runIn } from '../run-in.ts';

it('docs/cli.md tells what the commands tell', async () => {
  const page = await readFile(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
  expect(page, 'run `npm run schema`').toBe(cliReference());
  expect(page).toContain('## hephaestus environment freeze');
});

it('the README names every command', async () => {
  const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
  const commands = [...cliReference().matchAll(/^## hephaestus (\S+)/gm)].map(([, name]) => name);
  expect(commands.length).toBeGreaterThan(20);
  expect(commands.filter((name) => !new RegExp(`\`[^\`\n]*\\b${name}\\b`).test(readme))).toEqual([]);
});

it.each([
  ['hephaestus dis', ['discuss']],
  ['hephaestus environment f', ['freeze']],
  ['hephaestus worker --zone ', ['local', 'control', 'networked']],
  ['hephaestus list --op', ['--open']],
  ['hephaestus completion z', ['zsh']],
  // An argument that has the name of a command is no command.
  ['hephaestus show list --js', ['--json']],
])('bash completes %j', async (line, expected) => {
  const { code, out, err } = await runIn(['completion', 'bash']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const words = line.split(' ');
  const folder = await mkdtemp(join(tmpdir(), 'completion-'));
  await writeFile(join(folder, 'script'), out);
  const typed = words.map((word) => `'${word}'`).join(' ');
  const asked = `. ${folder}/script; COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _hephaestus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['--norc', '-c', asked]);
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(expected));
  expect(stdout.split('\n').every((word) => word.startsWith(words.at(-1) ?? ''))).toBe(true);
});

it('zsh and fish get scripts of their own; another shell is wrong usage', async () => {
  expect((await runIn(['completion', 'zsh'])).out).toMatch(/^#compdef hephaestus\n/);
  expect((await runIn(['completion', 'fish'])).out).toContain(
    "complete -c hephaestus -n '__fish_seen_subcommand_from worker' -l zone",
  );
  expect((await runIn(['completion', 'tcsh'])).code).toBe(2);
});
