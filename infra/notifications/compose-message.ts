import type { NotificationEvent } from '../../domain/notification.ts';
import { webAddress } from '../templates/markdown-filters.ts';

/** What is told, in words and without any mark-up: each channel writes it in its own. */
export interface Message {
  readonly subject: string;
  /** True when an earlier try may have arrived. */
  readonly repeat: boolean;
  readonly parts: readonly MessagePart[];
}

export interface MessagePart {
  readonly heading: string;
  readonly lines: readonly string[];
  readonly links: readonly { readonly label: string; readonly url: string }[];
}

/** A chat shows no more than a few lines, and bots refuse long messages. */
const mostParts = 20;
const longestLine = 600;

export function composeMessage(events: readonly NotificationEvent[], repeat: boolean): Message {
  // What asks comes before what is only to be known.
  const ordered = events.toSorted((a, b) => Number(a.kind === 'ended') - Number(b.kind === 'ended'));
  const shown = ordered.slice(0, mostParts).map(toPart);
  const more = ordered.length - shown.length;
  const rest = { heading: `and ${more} more`, lines: ['`hephaestus list` shows all of them.'], links: [] };
  return { subject: subjectOf(ordered), repeat, parts: more > 0 ? [...shown, rest] : shown };
}

function subjectOf(events: readonly NotificationEvent[]): string {
  const [first] = events;
  if (events.length === 1 && first !== undefined) return oneLine(`${first.title}: ${stateOf(first)}`, 150);
  const asking = events.filter(({ kind }) => kind !== 'ended').length;
  const ended = events.length - asking;
  return [
    ...(asking === 0 ? [] : [`${asking} experiment${asking === 1 ? ' waits' : 's wait'} for you`]),
    ...(ended === 0 ? [] : [`${ended} ended`]),
  ].join(', ');
}

function toPart(event: NotificationEvent): MessagePart {
  const { title, verdict, sentence, cost, links, experimentId } = event;
  const tokens = cost.tokens === 0 ? '' : `, ${cost.tokens.toLocaleString('en')} tokens`;
  return {
    heading: oneLine(`${title}: ${stateOf(event)}`, 200),
    lines: [
      verdict,
      sentence,
      `${experimentId}: ${Number(cost.gpuHours.toFixed(2))} GPU hours${tokens}`,
    ].flatMap((line) => (line === '' ? [] : [oneLine(line, longestLine)])),
    links: links.flatMap(({ label, url }) => {
      const address = webAddress(url);
      return address === null ? [] : [{ label: oneLine(label, 100), url: address }];
    }),
  };
}

const states = {
  decision: 'waits for your decision',
  stalled: 'waits for your word',
  question: 'asks you about a job',
  gate: 'is blocked by the quality gate',
  push: 'cannot push its branch',
} as const;

function stateOf({ kind, phase }: NotificationEvent): string {
  return kind === 'ended' ? phase : states[kind];
}

/** Words from outside as one line without control characters. */
function oneLine(text: string, length: number): string {
  const line = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
