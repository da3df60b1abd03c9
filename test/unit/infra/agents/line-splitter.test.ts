import { expect, test } from 'vitest';

import { LineSplitter } from '../../../../infra/agents/line-splitter.ts';

function splitter(lines: string[], limits = { lineBytes: 100, totalBytes: 1000 }): LineSplitter {
  return new LineSplitter(limits, (line) => lines.push(line));
}

test('puts lines together from any pieces, also through the middle of a character', () => {
  const lines: string[] = [];
  const bytes = Buffer.from('{"a":"é"}\r\n\n{"b":2}\nrest');
  const reader = splitter(lines);
  for (const byte of bytes) reader.push(Buffer.from([byte]));
  expect(lines).toEqual(['{"a":"é"}', '{"b":2}']);
  reader.end();
  expect(lines.at(-1)).toBe('rest');
});

test('stops a line, and an output, without an end', () => {
  expect(() => splitter([]).push(Buffer.alloc(101, 'x'))).toThrow(/more than 100 bytes in one line/);
  const reader = splitter([]);
  const push = (): void => reader.push(Buffer.from(`${'x'.repeat(90)}\n`));
  expect(() => Array.from({ length: 12 }).forEach(push)).toThrow(/more than 1000 bytes in all/);
});
