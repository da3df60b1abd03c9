import { formatTaskNote } from '../../domain/task-note-text.ts';
import { TaskNote } from '../../domain/task-note.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import type { AdoptionFacts } from './adoption-facts.ts';

export interface AdoptionFile {
  readonly path: string;
  readonly text: string;
  /** For people. */
  readonly why: string;
}

/** Tags can be moved, so that what runs is named by its commit: v4.2.2. */
const checkout = '11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2';
const versions = { uv: '0.13.9', ruff: '0.17.6' };

export const instructions = '.github/copilot-instructions.md';
const scopedInstructions = '.github/instructions/hephaestus.instructions.md';
const workflow = '.github/workflows/hephaestus.yml';
const exampleNote = 'QWEN_TASK.example.md';
const metric = 'val/loss';

/** Tells Hephaestus's own instructions from those that a repository had before, also after somebody has edited them. */
const marker = '<!-- hephaestus:instructions -->';

/** Whether these instructions for Copilot are, or hold, what Hephaestus proposes. */
export function areOwnInstructions(text: string | null): boolean {
  return text?.includes(marker) ?? false;
}

/**
 * The files that a repository with these paths should get; those that it has already are not among them. Instructions of
 * its own for Copilot are kept, and Hephaestus's then stand beside them in a file of their own.
 */
export function adoptionFiles(facts: AdoptionFacts, present: ReadonlySet<string>): readonly AdoptionFile[] {
  const { ownInstructions } = facts;
  const scoped = present.has(instructions) && !ownInstructions;
  const all: readonly AdoptionFile[] = [
    {
      path: scoped ? scopedInstructions : instructions,
      text: renderTemplate('adopt/copilot-instructions.md.njk', { scoped, marker }),
      why: 'what a reviewer, Copilot above all, must look for in an experiment',
    },
    {
      path: workflow,
      text: renderTemplate('adopt/workflow.yml.njk', { ...facts, ...versions, checkout }),
      why: `static analysis${facts.lock ? ', the lock' : ''}${facts.tests ? " and the project's own tests, on CPU" : ''}`,
    },
    { path: exampleNote, text: exampleText(facts), why: 'a task note to copy, fitted to this repository' },
  ];
  return all.filter(({ path }) => !present.has(path));
}

/** Names of the workflow's checks. */
export function adoptionChecks({ lock, tests }: AdoptionFacts): readonly string[] {
  return ['ruff', ...(lock ? ['lock'] : []), ...(tests ? ['tests'] : [])];
}

function exampleText({ repository, base, lock, requirements, python, script }: AdoptionFacts): string {
  const name = repository.split('/')[1] ?? '';
  const path = script ?? 'train.py';
  const source = requirements && !lock ? { requirements: 'requirements.txt' } : { lock: 'uv.lock' };
  const note = TaskNote.parse({
    schema: 'hephaestus/task/v1',
    id: 'my-first-idea',
    title: 'One sentence that says what is tried',
    hypothesis: `What is changed lowers ${metric} by at least 2 % at equal compute.`,
    repository,
    base,
    change: { paths: [path] },
    environment: { python, ...source, interpreter: 'managed' },
    job: {
      command: `python ${path} --seed {seed}`,
      image: 'docker.example/inspire-studio/ngc-pytorch:24.05',
      image_type: 'SOURCE_PUBLIC',
      workspace_id: 'ws-00000000-0000-0000-0000-000000000000',
      project_id: 'project-00000000-0000-0000-0000-000000000000',
      logic_compute_group_id: 'lcg-00000000-0000-0000-0000-000000000000',
      spec_id: '00000000-0000-0000-0000-000000000000',
      max_hours: 12,
    },
    seeds: [0, 1, 2],
    wandb: { project: name },
    metric: { name: metric, goal: 'minimize' },
    baseline: null,
    budget: { gpu_hours: 8, attempts: 3 },
  });
  const body = renderTemplate('adopt/task-note.md.njk', { script: path, hasScript: script !== null, metric });
  return formatTaskNote({ note, body });
}
