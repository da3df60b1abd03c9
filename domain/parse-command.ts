import MarkdownIt from 'markdown-it';

import { commandKinds, type Command, type Word } from './command.ts';

/** GitHub takes no longer comment. */
const longestComment = 65_536;
const longestText = 4000;
/** So deep nobody nests on purpose; deeper levels would only cost time. */
const deepest = 20;

const commandLine = /^ {0,3}\/hephaestus(?=[ \t]|$)/gim;
/** A character of private use, that stands for a place where a command may stand while the Markdown is read. */
const mark = '\uE000';

const markdown = new MarkdownIt('default', { html: true, maxNesting: deepest });

/**
 * What a comment says to Hephaestus; null when it says nothing. Obeyed is only what its reader sees as the author's own
 * plain line: nothing in quotes, lists, code (fenced, indented or inline) or HTML comments. The same command several
 * times is one; different commands in one comment are none, because nobody could tell which was meant last.
 */
export function parseCommand(comment: string): Word | null {
  const text = wholeLines(comment).replaceAll(mark, '').replaceAll(/\r\n?/g, '\n');
  const places = [...text.matchAll(commandLine)];
  if (places.length === 0) return null;
  const spoken = spokenPlaces(text)
    .map((index) => places[index])
    .filter((place) => place !== undefined);
  const [first] = spoken;
  if (first === undefined) return null;
  const lines = new Set(spoken.map((place) => squeeze(lineAt(text, place)).toLowerCase()));
  if (lines.size > 1) {
    const why = `a comment says one thing, this one has ${lines.size} different commands: nothing of it was done`;
    return { status: 'unclear', said: shorten(squeeze(lineAt(text, first)), 60), why };
  }
  return readCommand(lineAt(text, first), restAfter(text, first, spoken.at(-1) ?? first));
}

/** Half a line may say something else than the whole. */
function wholeLines(comment: string): string {
  if (comment.length <= longestComment) return comment;
  const cut = comment.slice(0, longestComment);
  return cut.slice(0, cut.lastIndexOf('\n') + 1);
}

/** The places, by their order, that are lines of the comment's own paragraphs. */
function spokenPlaces(text: string): number[] {
  let count = 0;
  const marked = text.replaceAll(commandLine, () => `${mark}${count++}${mark}`);
  return markdown
    .parse(marked, {})
    .filter(({ type, level }) => type === 'inline' && level === 1)
    .flatMap(({ children }) =>
      (children ?? []).flatMap((token, index, all) => {
        const before = all[index - 1]?.type ?? 'softbreak';
        const begins = token.type === 'text' && token.level === 0 && before.endsWith('break');
        const found = begins ? new RegExp(`^${mark}(\\d+)${mark}`).exec(token.content) : null;
        return found === null ? [] : Number(found[1]);
      }),
    );
}

/** What stands on the line after `/hephaestus`. */
function lineAt(text: string, place: RegExpExecArray): string {
  const from = place.index + place[0].length;
  const end = text.indexOf('\n', from);
  return text.slice(from, end === -1 ? undefined : end).trim();
}

/** What stands below the command: instructions may be as long as a comment. */
function restAfter(text: string, first: RegExpExecArray, last: RegExpExecArray): string {
  if (first !== last) return '';
  const end = text.indexOf('\n', first.index);
  return end === -1 ? '' : text.slice(end + 1).trim();
}

function readCommand(line: string, below: string): Word {
  const [, word = '', argument = ''] = /^(\S*)\s*(.*)$/s.exec(line) ?? [];
  const kind = commandKinds.find((each) => each === word.toLowerCase());
  switch (kind) {
    case 'merge':
      return readMerge(argument);
    case 'reject':
    case 'stop':
      return command({ kind, reason: argument === '' ? undefined : shorten(argument, longestText) });
    case 'revise': {
      const instructions = [argument, below].filter((part) => part !== '').join('\n');
      if (instructions !== '') return command({ kind, instructions: shorten(instructions, longestText) });
      return unclear('revise', 'revise needs instructions for the coding agent, on its line or below it');
    }
    case 'rerun':
      return readRerun(argument);
    case 'approve-quality':
      if (argument !== '') return command({ kind, reason: shorten(argument, longestText) });
      return unclear(kind, 'approve-quality needs a reason, which is shown beside your name');
    case 'status':
      return command({ kind });
    case undefined:
      return unclear(
        word === '' ? '/hephaestus' : word,
        `"${shorten(word, 40)}" is no command: expected one of ${commandKinds.join(', ')}`,
      );
  }
}

function readMerge(argument: string): Word {
  const head = argument.replace(/^(?:--head[ =])?\s*/i, '').toLowerCase();
  if (head === '') return command({ kind: 'merge', head: undefined });
  if (/^[0-9a-f]{7,40}$/.test(head)) return command({ kind: 'merge', head });
  return unclear('merge', `merge takes nothing, or the commit that is meant (7 to 40 hexadecimal digits)`);
}

function readRerun(argument: string): Word {
  const list = argument.replace(/^(?:--)?seeds?[ =:]?\s*/i, '');
  if (list === '') return command({ kind: 'rerun', seeds: undefined });
  const seeds = list.split(/[\s,]+/).filter((part) => part !== '');
  if (seeds.every((seed) => /^\d{1,9}$/.test(seed)))
    return command({ kind: 'rerun', seeds: seeds.map(Number) });
  return unclear('rerun', 'rerun takes nothing, or seeds: whole numbers such as 3,4,5');
}

function command(said: Command): Word {
  return { status: 'command', command: said };
}

function unclear(said: string, why: string): Word {
  return { status: 'unclear', said: shorten(said, 60), why };
}

function squeeze(line: string): string {
  return line.replaceAll(/\s+/g, ' ');
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`.toWellFormed();
}
