import { describe, expect, it } from 'vitest';

import type { Command } from '../../../domain/command.ts';
import { parseCommand } from '../../../domain/parse-command.ts';

function commandIn(comment: string): Command | string | null {
  const word = parseCommand(comment);
  if (word === null) return null;
  return word.status === 'command' ? word.command : word.why;
}

describe('a command', () => {
  it.each<[string, Command]>([
    ['/hephaestus merge', { kind: 'merge', head: undefined }],
    ['/hephaestus merge   ', { kind: 'merge', head: undefined }],
    ['/Hephaestus MERGE\r\n', { kind: 'merge', head: undefined }],
    ['/hephaestus\tmerge ABCDEF1', { kind: 'merge', head: 'abcdef1' }],
    ['/hephaestus merge --head abcdef1', { kind: 'merge', head: 'abcdef1' }],
    ['Looks good.\n/hephaestus merge\nThank you!', { kind: 'merge', head: undefined }],
    ['> was this right?\n\n   /hephaestus reject too noisy', { kind: 'reject', reason: 'too noisy' }],
    ['/hephaestus stop', { kind: 'stop', reason: undefined }],
    ['/hephaestus status', { kind: 'status' }],
    ['/hephaestus rerun', { kind: 'rerun', seeds: undefined }],
    ['/hephaestus rerun 3,4, 5', { kind: 'rerun', seeds: [3, 4, 5] }],
    ['/hephaestus rerun --seeds 3 4', { kind: 'rerun', seeds: [3, 4] }],
    ['/hephaestus revise use `lr=3e-4`', { kind: 'revise', instructions: 'use `lr=3e-4`' }],
    [
      '/hephaestus revise\nUse a lower rate:\n\n```\nlr = 3e-4\n```\n',
      { kind: 'revise', instructions: 'Use a lower rate:\n\n```\nlr = 3e-4\n```' },
    ],
    ['/hephaestus approve-quality flaky check', { kind: 'approve-quality', reason: 'flaky check' }],
    ['/hephaestus merge\n/hephaestus  MERGE\n', { kind: 'merge', head: undefined }],
    ['/hephaestus merge\n\n> /hephaestus reject', { kind: 'merge', head: undefined }],
    ['\uE000\n/hephaestus merge', { kind: 'merge', head: undefined }],
  ])('%j', (comment, command) => {
    expect(commandIn(comment)).toEqual(command);
  });

  it.each([
    ['nothing', ''],
    ['other words', 'I would say merge'],
    ['inside a line', 'please /hephaestus merge'],
    ['a longer word', '/hephaestuses merge'],
    ['a quote', '> /hephaestus merge'],
    ['a quote that goes on without its mark', '> I said\n/hephaestus merge'],
    ['a quote in a list', '- > a\n/hephaestus merge'],
    ['a fence', '```\n/hephaestus merge\n```'],
    ['a fence of tildes', '~~~sh\n/hephaestus merge\n~~~'],
    ['a fence that never ends', 'so:\n```\n/hephaestus merge'],
    ['a fence in a fence', '````\n```\n/hephaestus merge\n```\n````'],
    ['four spaces', '    /hephaestus merge'],
    ['a tab', '\t/hephaestus merge'],
    ['inline code', '`/hephaestus merge`'],
    ['inline code over lines', 'a `b\n/hephaestus merge\n` c'],
    ['an HTML comment', '<!--\n/hephaestus merge\n-->'],
    ['an HTML comment inside a paragraph', 'a <!-- b\n/hephaestus merge\n--> c'],
    ['an HTML block', '<pre>\n/hephaestus merge\n</pre>'],
    ['folded details', '<details>\n/hephaestus merge\n</details>'],
    ['a list', '- /hephaestus merge'],
    ['the going on of a list', '- a\n/hephaestus merge'],
    ['a heading', '# /hephaestus merge'],
    ['emphasis', '*/hephaestus merge*'],
    ['emphasis over lines', '*a\n/hephaestus merge*'],
    ['a link over lines', '[a\n/hephaestus merge](http://b)'],
    ['a table', '| a |\n|---|\n| /hephaestus merge |'],
    ['an escape', '\\/hephaestus merge'],
    ['a character without width', '\u200B/hephaestus merge'],
  ])('is not %s', (_what, comment) => {
    expect(parseCommand(comment)).toBeNull();
  });

  it.each([
    ['/hephaestus mrege', /"mrege" is no command: expected one of merge, reject/],
    ['/hephaestus', /is no command/],
    ['/hephaestus merge please', /takes nothing, or the commit/],
    ['/hephaestus merge abc', /7 to 40/],
    ['/hephaestus rerun all', /whole numbers/],
    ['/hephaestus rerun -1', /whole numbers/],
    ['/hephaestus revise', /needs instructions/],
    ['/hephaestus approve-quality', /needs a reason/],
    ['/hephaestus merge\n/hephaestus reject', /2 different commands: nothing of it was done/],
    ['/hephaestus rerun 1\n\n/hephaestus rerun 2', /2 different commands/],
  ])('is answered with a reason: %j', (comment, why) => {
    expect(commandIn(comment)).toMatch(why);
  });

  it('is one when it stands there five thousand times, and none when they differ', () => {
    expect(commandIn('/hephaestus merge\n'.repeat(5000))).toEqual({ kind: 'merge', head: undefined });
    const many = Array.from({ length: 5000 }, (_, seed) => `/hephaestus rerun ${seed}`).join('\n');
    expect(commandIn(many)).toMatch(/\d+ different commands: nothing of it was done/);
  });

  it('keeps long words short', () => {
    const word = parseCommand(`/hephaestus revise ${'x'.repeat(60_000)}`);
    expect(word).toMatchObject({ status: 'command' });
    expect(JSON.stringify(word).length).toBeLessThan(4200);
    expect(JSON.stringify(parseCommand(`/hephaestus ${'🎲'.repeat(30_000)}`)).length).toBeLessThan(500);
  });

  it.each(['>', '[a](', '*a_b', '- ', '<!-- ', 'a\n\n', '`'])(
    'is found within a moment in knots of %j',
    (knot) => {
      const begun = performance.now();
      parseCommand(`/hephaestus merge\n\n${knot.repeat(65_000 / knot.length)}`);
      expect(performance.now() - begun).toBeLessThan(3000);
    },
  );
});
