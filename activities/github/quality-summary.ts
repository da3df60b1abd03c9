import { link, text } from '../../infra/templates/markdown-filters.ts';
import type { QualityInput } from './interface.ts';

/** GitHub takes 65,535 characters. */
const longest = 60_000;

const marks = { passed: '✅', failed: '❌', waiting: '⏳' } as const;

/** What the check run of the gate shows: everything that was looked at, a line each, with its evidence. */
export function qualitySummary({
  description,
  lines = [],
}: Pick<QualityInput, 'description' | 'lines'>): string {
  const rows = lines.map(
    ({ name, state, detail, url }) =>
      `| ${marks[state]} | ${url === null ? text(name, 100) : link(name, url)} | ${text(detail, 1000)} |`,
  );
  const head = text(description, 2000);
  if (rows.length === 0) return head;
  let kept = rows;
  const render = (): string => [head, '', '| | what | seen |', '|---|---|---|', ...kept].join('\n');
  while (render().length > longest) kept = kept.slice(0, -1);
  const left = rows.length - kept.length;
  return left === 0 ? render() : `${render()}\n\n${left} more lines were left out.`;
}
