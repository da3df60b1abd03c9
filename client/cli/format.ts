/**
 * Text from outside made fit for a terminal: one line, no control characters (an escape sequence in a commit message
 * must not move somebody's cursor).
 */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- finding them is the purpose
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, '');
}

/** A length of time for people: `8 s`, `12 min`, `3.5 h`, `2.1 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${round(seconds / 3600)} h` : `${round(seconds / 86_400)} d`;
}

/** Rows in columns two blanks apart; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** At most two digits behind the point, none without need; of less than a tenth, two digits that matter. */
export function round(value: number): string {
  if (Math.abs(value) < 0.1) return Number(value.toPrecision(2)).toString();
  return Number(value.toFixed(value < 10 ? 2 : 1)).toString();
}

/** An ISO 8601 time as people read it: `2026-01-31 09:05:00 UTC`. */
export function moment(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? clean(iso)
    : `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
