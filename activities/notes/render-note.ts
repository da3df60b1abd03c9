import { stringify } from 'yaml';

import type { NoteFacts } from '../../domain/note.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { block } from './generated-block.ts';
import { noteLink } from './note-link.ts';
import type { NoteLinks } from './note-links.ts';
import type { AuthoredTexts } from './write-texts.ts';
import { noteTitle } from './plain-texts.ts';

/** The name of the note's file without `.md`: from the workflow's start, so that a repeat writes the same one. */
export function noteStem({ startedAt, experimentId }: NoteFacts): string {
  const stamp = new Date(startedAt).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  return `${stamp}-${experimentId}`;
}

/** Flat front matter, for zk, Foam, Obsidian and Dataview; `parent` is the file name of the baseline's note. */
export function noteFrontMatter(facts: NoteFacts, parent: string | null): string {
  const { task, evidence, decision } = facts;
  const verdict = evidence?.verdict;
  const fields = {
    id: facts.experimentId,
    title: noteTitle(facts),
    type: 'experiment',
    date: facts.startedAt,
    status: facts.outcome,
    repository: task.repository,
    hypothesis: task.hypothesis.replaceAll(/\s+/g, ' ').trim(),
    metric: task.metric?.name ?? null,
    value: rounded(verdict?.mean),
    baseline_value: rounded(verdict?.baselineMean),
    delta: rounded(verdict?.delta),
    noise_std: rounded(verdict?.noiseStd),
    seeds: evidence?.jobs.map(({ seed }) => seed) ?? task.seeds,
    pr_url: facts.pullRequestUrl,
    merge_sha: facts.mergeSha,
    head_sha: facts.headSha,
    job_ids: facts.jobIds,
    run_urls: facts.runUrls,
    environment: facts.environmentDigest,
    image: task.job?.image ?? null,
    gpu_hours: rounded(facts.gpuHours),
    wall_hours: rounded(facts.wallHours),
    decided_by: decision?.by ?? null,
    decided_at: decision?.at ?? null,
    tags: [
      'experiment',
      `outcome/${facts.outcome}`,
      `verdict/${verdict?.status ?? 'none'}`,
      `repository/${task.repository.replaceAll(/[^\w/-]/g, '-')}`,
    ],
    parent: parent === null ? null : `[[${parent}]]`,
  };
  return stringify(fields, { lineWidth: 0 }).replace(/^id: .*$/m, () => `id: ${JSON.stringify(fields.id)}`);
}

/** The whole file. Everything but the authored texts and the remarks comes from the facts. */
export function renderNote(facts: NoteFacts, authored: AuthoredTexts, links: NoteLinks): string {
  const { claim, reading, limits, next } = authored.texts;
  return renderTemplate('note.md.njk', {
    facts: { ...facts, failure: facts.failure === null ? null : harmless(facts.failure) },
    verdict: facts.evidence?.verdict ?? null,
    jobs: facts.evidence?.jobs ?? [],
    baseline: facts.evidence?.baseline ?? null,
    title: harmless(noteTitle(facts)),
    hypothesis: harmless(facts.task.hypothesis),
    reason: harmless(facts.decision?.reason ?? ''),
    texts: {
      claim: harmless(claim),
      reading: harmless(reading),
      limits: harmless(limits),
      next: harmless(next),
    },
    remarks: (facts.remarks ?? []).map((remark) => ({
      ...remark,
      by: harmless(remark.by),
      question: harmless(remark.question),
      answer: harmless(remark.answer),
      answeredBy: harmless(remark.answeredBy),
    })),
    runs: runsOf(facts),
    author: authored.author,
    number: formatNumber,
    frontMatter: noteFrontMatter(facts, links.parentStem),
    parent: links.parent === null ? null : noteLink(links.parent),
    near: links.near.map(({ note, reason }) => ({ link: noteLink(note), reason })),
    backlinks: block('backlinks', ''),
  });
}

/** Words of others stay words: one paragraph, no headings, links, pictures or HTML of their own. */
function harmless(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll('<', '&lt;')
    .replaceAll(/!\[|\[\[|\]\(/g, (mark) => `\\${mark.split('').join('\\')}`)
    .replace(/^([#>*+|-]|\d+[.)])/, '\\$1');
}

function runsOf({ runUrls, evidence }: NoteFacts): object[] {
  return runUrls.map((url, index) => {
    const seed = evidence?.jobs.find(({ runUrl }) => runUrl === url)?.seed;
    return { url, of: seed === undefined ? ` ${index + 1}` : `, seed ${seed}` };
  });
}

/** Six digits that matter: beyond any noise, and still readable. */
function rounded(value: number | null | undefined): number | null {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : null;
}

function formatNumber(value: number | null): string {
  return value === null ? 'none' : String(rounded(value));
}
