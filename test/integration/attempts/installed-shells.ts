import { execa } from 'execa';

import type { Shell } from './attempt-fixture.ts';

interface NamedShell {
  readonly name: string;
  readonly shell: Shell;
}

const wanted: readonly NamedShell[] = [
  { name: 'dash', shell: ['dash'] },
  { name: 'bash', shell: ['bash'] },
  { name: 'busybox', shell: ['busybox', 'sh'] },
];

/** The shells of this machine under which the start script is tried; those that are missing are named. */
export async function installedShells(): Promise<readonly NamedShell[]> {
  const there = await Promise.all(wanted.map(async ({ shell: [program] }) => isInstalled(program)));
  for (const [index, { name }] of wanted.entries()) {
    if (!there[index]) console.warn(`the start script is not tried under ${name}: it is not installed here`);
  }
  return wanted.filter((_, index) => there[index]);
}

async function isInstalled(program: string): Promise<boolean> {
  return (await execa('sh', ['-c', `command -v ${program}`], { reject: false })).exitCode === 0;
}
