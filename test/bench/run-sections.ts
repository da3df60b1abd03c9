/** One part of a bench; false where an aim is missed or anything is wrong. */
export type Section = () => Promise<boolean>;

/** Runs the sections that were asked for (all when none was), one after the other; exit code 1 where one is not right. */
export async function runSections(
  sections: Readonly<Record<string, Section>>,
  only: readonly string[] | undefined,
): Promise<void> {
  const names = only ?? Object.keys(sections);
  const unknown = names.filter((name) => !(name in sections));
  if (unknown.length > 0) {
    throw new Error(`--only ${unknown.join(', ')}: expected one of ${Object.keys(sections).join(', ')}`);
  }
  for (const name of names) {
    console.log(`\n== ${name} ==`);
    if ((await sections[name]?.()) !== true) process.exitCode = 1;
  }
}

export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} is "${text}": expected a whole number, 1 or larger`);
}

/** Does all of it, so many at one time, and says how far it is ten times. The results come as they end. */
export async function doInFlight<T, R>(
  things: readonly T[],
  { inFlight, say }: { readonly inFlight: number; readonly say: (line: string) => void },
  act: (thing: T) => Promise<R>,
): Promise<R[]> {
  const ends: R[] = [];
  const waiting = things.values();
  const runner = async (): Promise<void> => {
    for (const thing of waiting) {
      ends.push(await act(thing));
      if (ends.length % Math.ceil(things.length / 10) === 0)
        say(`${ends.length} of ${things.length} have ended`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, runner));
  return ends;
}
