import { clean, duration, table } from '../cli/format.ts';
import type { Colours } from '../cli/output.ts';
import type { Board, BoardExperiment, BoardService } from './board.ts';

export interface BoardPresentation {
  readonly colours: Colours;
  readonly program: string;
  /** Of the terminal. */
  readonly columns: number;
  readonly rows: number;
}

/** Below this the disk is named on the screen, bytes. */
const littleFree = 2 * 2 ** 30;
/** Lines that are there whatever runs: title, services, links, the last line, and blank ones. */
const fixedLines = 15;

/** The screen of `up`, as lines that fit the terminal. */
export function presentBoard(board: Board, presentation: BoardPresentation): string[] {
  const { colours, columns, program } = presentation;
  const { experiments, now } = board;
  const room = Math.max(3, presentation.rows - fixedLines - board.events.length);
  const asked = (experiments ?? []).filter(({ asked: what }) => what !== null);
  const others = (experiments ?? []).filter(({ asked: what, running }) => what === null && running);
  const ended = (experiments ?? []).filter(({ running }) => !running);
  // Two lines for each that asks: what it asks, and where.
  const askedRoom = Math.max(1, Math.floor(room / 4));
  const othersRoom = Math.max(1, room - Math.min(asked.length, askedRoom) * 3 - ended.length - 2);
  return [
    titleLine(board, presentation),
    ...board.services.map((service) => serviceLine(service, now, colours)),
    ...warnings(board, colours),
    ...part(
      colours.cyan(`Waiting for you (${asked.length})`),
      asked.length === 0 ? [] : askedLines(asked.slice(0, askedRoom), board, presentation),
    ),
    ...part(colours.bold(`Under way (${others.length})`), [
      ...runningLines(others.slice(0, othersRoom), now),
      ...more(others.length - othersRoom, program),
    ]),
    ...part(
      colours.bold('Ended last'),
      ended.map(({ id, phase, since }) => `${id}  ${colourEnd(phase, colours)}  ${ago(since, now)}`),
    ),
    ...nothingYet(board, presentation),
    ...part(
      colours.bold('Lately'),
      board.events.map(({ at, text }) => colours.dim(`${clock(at)}  ${clean(text)}`)),
    ),
    '',
    colours.dim(`Ctrl-C stops it; what runs on the cluster goes on, and the experiments at the next \`up\`.`),
  ].map((line) => cut(line, columns));
}

function titleLine({ now, startedAt, services }: Board, { colours }: BoardPresentation): string {
  const ready = allReady(services);
  const word = ready ? colours.green('up') : colours.yellow('coming up');
  return `${colours.bold('Hephaestus')} is ${word}  ${colours.dim(`for ${duration(now - startedAt)}`)}`;
}

function serviceLine(
  { name, state, restarts, memoryBytes, remark }: BoardService,
  now: number,
  colours: Colours,
): string {
  const again =
    restarts === 0 ? '' : colours.yellow(`  restarted ${restarts === 1 ? 'once' : `${restarts} times`}`);
  const memory = memoryBytes === null ? '' : `${Math.round(memoryBytes / 2 ** 20)} MB`;
  const label = `  ${name.padEnd(9)}`;
  switch (state.status) {
    case 'ready':
      return `${label}${colours.green('ready   ')}  ${memory.padStart(6)}  ${remark}${again}`;
    case 'starting':
      return `${label}${colours.yellow('starting')}  ${memory.padStart(6)}  ${remark}${again}`;
    case 'waiting':
      return `${label}${colours.red('ended   ')}  code ${state.end.code}, again in ${duration(state.until - now)}${again}`;
    case 'stopped':
      return `${label}${colours.dim(`off        ${remark}`)}`;
  }
}

function warnings({ stale, freeBytes, home }: Board, colours: Colours): string[] {
  const disk =
    freeBytes === null
      ? ''
      : `Only ${Math.floor(freeBytes / 2 ** 20)} MB are left on the disk of ${home}: free some.`;
  return [
    ...(freeBytes !== null && freeBytes < littleFree ? ['', colours.red(disk)] : []),
    ...(stale === null ? [] : ['', colours.yellow(`Not up to date: ${clean(stale)}`)]),
  ];
}

function askedLines(
  rows: readonly BoardExperiment[],
  { now }: Board,
  { colours, program, columns }: BoardPresentation,
): string[] {
  return rows.flatMap(({ id, phase, since, asked, pullRequestUrl }) => [
    `${colours.bold(id)}  ${phase}, for ${age(since, now)}`,
    `  ${cut(clean(asked ?? ''), columns - 8)}`,
    `  ${pullRequestUrl === null ? '' : `${clean(pullRequestUrl)}  `}${colours.dim(`${program} show ${id}`)}`,
  ]);
}

function runningLines(rows: readonly BoardExperiment[], now: number): string[] {
  return table(
    rows.map(({ id, phase, since, waitingFor, pullRequestUrl, url }) => [
      id,
      phase,
      age(since, now),
      clean(pullRequestUrl ?? url ?? ''),
      waitingFor === '' ? '' : `waits for ${clean(waitingFor)}`,
    ]),
  );
}

function more(count: number, program: string): string[] {
  return count > 0 ? [`and ${count} more: ${program} list --open`] : [];
}

function nothingYet({ experiments, services }: Board, { program, colours }: BoardPresentation): string[] {
  if (experiments === null) return [];
  if (experiments.length > 0 || !allReady(services)) return [];
  return part(colours.bold('No experiments yet'), [
    `${program} start --idea "…" --repo owner/name`,
    `${program} doctor   tries every configured system`,
  ]);
}

/** What was not asked for is not waited for. */
function allReady(services: readonly BoardService[]): boolean {
  return services.every(({ state }) => state.status === 'ready' || state.status === 'stopped');
}

function colourEnd(phase: string, colours: Colours): string {
  if (phase === 'merged') return colours.green(phase);
  return phase === 'failed' ? colours.red(phase) : phase;
}

function part(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function age(since: string, now: number): string {
  return duration(now - new Date(since).getTime());
}

function ago(since: string, now: number): string {
  return `${age(since, now)} ago`;
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

/** Lines that are too long for the terminal would make the screen jump; colour codes take no room there. */
function cut(line: string, columns: number): string {
  let shown = 0;
  let result = '';
  // oxlint-disable-next-line no-control-regex -- colour codes begin with the escape character
  for (const piece of line.match(/\u001B\[\d*m|[^\u001B]/gu) ?? []) {
    if (!piece.startsWith('\u001B')) {
      shown += 1;
      if (shown === columns) result += '…';
      if (shown >= columns) continue;
    }
    result += piece;
  }
  return result;
}
