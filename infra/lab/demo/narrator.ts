import pc from 'picocolors';

/** Tells the demo as it goes: a line for each thing that happened, with the seconds since the start. */
export interface Narrator {
  say(text: string): void;
  link(label: string, url: string): void;
  heading(text: string): void;
}

export function createNarrator(startedAt: number): Narrator {
  const stamp = (): string => pc.dim(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`);
  return {
    say: (text) => console.log(`${stamp()}  ${text}`),
    link: (label, url) => console.log(`${' '.repeat(10)}${pc.dim(`${label}:`)} ${pc.underline(url)}`),
    heading: (text) => console.log(`\n${pc.bold(text)}`),
  };
}
