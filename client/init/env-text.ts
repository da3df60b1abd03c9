/** Values by key; '' for one that is not set. */
export type Values = Readonly<Record<string, string>>;

/**
 * The text of a `.env` file: the template with its comments, with these values in place of its own. What the template does
 * not know comes at the end.
 */
export function envText(template: string, values: Values): string {
  const written = new Set<string>();
  const lines = template.split('\n').map((line) => {
    const key = /^([A-Z][A-Z0-9_]*)=/.exec(line)?.[1];
    if (key === undefined) return line;
    const given = [key, `${key}_FILE`].filter((name) => (values[name] ?? '') !== '');
    for (const name of given) written.add(name);
    if (given.length === 0) return line;
    return given.map((name) => `${name}=${quote(values[name] ?? '')}`).join('\n');
  });
  const rest = Object.entries(values).filter(([key, value]) => !written.has(key) && value !== '');
  const more = rest.map(([key, value]) => `${key}=${quote(value)}`);
  return [...lines, ...(more.length === 0 ? [] : ['# ---- more ----', ...more, ''])].join('\n');
}

/** dotenv takes a quoted value as it is, and knows no way to write its own quote inside of it. */
function quote(value: string): string {
  if (/^[\w./:@%+,~-]*$/.test(value)) return value;
  const mark = ["'", '`', '"'].find((candidate) => !value.includes(candidate));
  if (mark === undefined)
    throw new RangeError('a value with all three kinds of quotes cannot stand in a .env file');
  return `${mark}${value}${mark}`;
}
