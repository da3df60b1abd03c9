import { parseDocument } from 'yaml';
import { z } from 'zod';

import { withoutBlocks } from './generated-block.ts';

const text = z.string().nullish().catch(null);
const number = z.number().nullish().catch(null);

/** What is read of a note's front matter; a person may have changed anything in it, so that nothing of it is relied upon. */
const FrontMatter = z.looseObject({
  id: z.coerce.string().catch(''),
  title: text,
  type: text,
  date: z.coerce.string().catch(''),
  status: text,
  repository: text,
  hypothesis: text,
  metric: text,
  value: number,
  baseline_value: number,
  delta: number,
  noise_std: number,
  seeds: z.array(z.number()).catch([]),
  gpu_hours: number,
  pr_url: text,
  decided_by: text,
  tags: z.array(z.string()).catch([]),
});

/** One note of the vault, as far as searching, the index and planning need it. */
export interface CataloguedNote {
  /** Path inside the vault, with `.md`. */
  readonly path: string;
  /** Written by Hephaestus about an experiment; any other note is a person's own. */
  readonly isExperiment: boolean;
  readonly id: string;
  readonly title: string;
  readonly date: string;
  /** Outcome of the experiment; '' in a person's own note. */
  readonly status: string;
  readonly verdict: string;
  readonly repository: string;
  readonly hypothesis: string;
  readonly claim: string;
  readonly metric: string;
  readonly value: number | null;
  readonly baselineValue: number | null;
  readonly delta: number | null;
  readonly noiseStd: number | null;
  readonly seeds: readonly number[];
  readonly gpuHours: number | null;
  readonly pullRequest: string;
  readonly decidedBy: string;
  readonly tags: readonly string[];
  /** Paths of the notes that it links to by itself; what stands in generated blocks does not count. */
  readonly links: readonly string[];
}

const frontMatterPattern = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;
/** Of a person's long text only the beginning is searched. */
const maxWords = 1500;

/** Reads a note; never throws, whatever is in the file. */
export function readNote(path: string, content: string): CataloguedNote {
  const match = frontMatterPattern.exec(content);
  const front = readFrontMatter(match?.[1] ?? '');
  const body = withoutBlocks(content.slice(match?.[0].length ?? 0));
  const isExperiment = front.type === 'experiment';
  const heading = /^#\s+(.+)$/m.exec(body)?.[1];
  return {
    path,
    isExperiment,
    id: front.id,
    title: oneLine(front.title ?? heading ?? path.replace(/\.md$/, '')),
    date: front.date,
    status: (isExperiment ? front.status : null) ?? '',
    verdict: tagged(front.tags, 'verdict/'),
    repository: front.repository ?? '',
    hypothesis: front.hypothesis ?? '',
    claim: oneLine(isExperiment ? sectionOf(body, 'Claim') : body.slice(0, maxWords)),
    metric: front.metric ?? '',
    value: front.value ?? null,
    baselineValue: front.baseline_value ?? null,
    delta: front.delta ?? null,
    noiseStd: front.noise_std ?? null,
    seeds: front.seeds,
    gpuHours: front.gpu_hours ?? null,
    pullRequest: front.pr_url ?? '',
    decidedBy: front.decided_by ?? '',
    tags: front.tags,
    links: linksOf(path, body),
  };
}

function readFrontMatter(yaml: string): z.infer<typeof FrontMatter> {
  const document = parseDocument(yaml, { logLevel: 'silent' });
  const data: unknown = document.errors.length > 0 ? {} : toData(document);
  return FrontMatter.safeParse(data ?? {}).data ?? FrontMatter.parse({});
}

/** An alias that grows without bound is a fault of the note, not of the reader. */
function toData(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError) return {};
    throw error;
  }
}

/** The words below a heading, up to the next one. */
function sectionOf(body: string, heading: string): string {
  return new RegExp(`^## ${heading}\\s*\\n([\\s\\S]*?)(?=^#{1,2} |(?![\\s\\S]))`, 'm').exec(body)?.[1] ?? '';
}

/** Relative Markdown links and wikilinks that lead to notes. */
function linksOf(path: string, body: string): string[] {
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
  const relative = [...body.matchAll(/\]\(<?([^()\s<>:]+\.md)(?:#[^()\s]*)?>?\)/g)].map(([, target = '']) =>
    normalize(folder + decoded(target)),
  );
  const wiki = [...body.matchAll(/\[\[([^\]|#]+)(?:[|#][^\]]*)?\]\]/g)].map(
    ([, target = '']) => `${target.trim().replace(/\.md$/, '')}.md`,
  );
  return [...new Set([...relative, ...wiki])];
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch (error) {
    if (error instanceof URIError) return target;
    throw error;
  }
}

function tagged(tags: readonly string[], prefix: string): string {
  return tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length) ?? '';
}

function oneLine(words: string): string {
  return words.replaceAll(/\s+/g, ' ').trim();
}
