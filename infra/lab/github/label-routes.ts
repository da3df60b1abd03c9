import { z } from 'zod';

import type { Lab } from './lab.ts';
import { invalid, notFound } from './refusal.ts';
import { page, pullOf, readBody, type Route } from './router.ts';
import { labelOf, labelShape } from './shapes.ts';
import type { LabLabel, LabPull, LabRepository } from './state.ts';

const NewLabel = z.object({
  name: z.string().min(1).max(50),
  color: z
    .string()
    .regex(/^[0-9a-fA-F]{6}$/)
    .default('ededed'),
  description: z.string().max(100).nullish(),
});
const Names = z.union([
  z.object({ labels: z.array(z.string().min(1)) }),
  z.array(z.string().min(1)).transform((labels) => ({ labels })),
]);

/** Labels of a repository, and which of them a pull request has. */
export function addLabelRoutes(route: Route, lab: Lab): void {
  route('GET', '/labels', 'read', async (call) =>
    page(call, call.repository.labels ?? [], lab).map((label) => labelShape(lab, call.repository, label)),
  );
  route('GET', '/labels/:name', 'read', async ({ repository, params }) => {
    const label = repository.labels?.find(({ name }) => same(name, params['name'] ?? ''));
    if (label === undefined) throw notFound();
    return labelShape(lab, repository, label);
  });
  route('POST', '/labels', 'write', async ({ repository, body, reply }) => {
    const { name, color, description = null } = readBody(NewLabel, body, 'Label');
    if (repository.labels?.some((one) => same(one.name, name))) {
      throw invalid({ resource: 'Label', code: 'already_exists', field: 'name' });
    }
    const label = addLabel(lab, repository, { name, color, description });
    return reply.code(201).send(labelShape(lab, repository, label));
  });

  route('GET', '/issues/:number/labels', 'read', async (call) => shapes(lab, call.repository, pullOf(call)));
  route('POST', '/issues/:number/labels', 'write', async (call) => {
    const pull = pullOf(call);
    for (const name of readBody(Names, call.body, 'Label').labels) {
      const known = call.repository.labels?.find((one) => same(one.name, name));
      // A label that nobody made is made.
      const label = known ?? addLabel(lab, call.repository, { name, color: 'ededed', description: null });
      if (pull.labels?.includes(label.name)) continue;
      pull.labels = [...(pull.labels ?? []), label.name];
      lab.announcePull(call.repository, pull, 'labeled', call.user, {
        label: labelShape(lab, call.repository, label),
      });
    }
    return shapes(lab, call.repository, pull);
  });
  route('DELETE', '/issues/:number/labels/:name', 'write', async (call) => {
    const pull = pullOf(call);
    const name = pull.labels?.find((one) => same(one, call.params['name'] ?? ''));
    if (name === undefined) throw notFound();
    pull.labels = pull.labels?.filter((one) => one !== name) ?? [];
    lab.announcePull(call.repository, pull, 'unlabeled', call.user, {
      label: labelShape(lab, call.repository, labelOf(call.repository, name)),
    });
    return shapes(lab, call.repository, pull);
  });
}

function addLabel(lab: Lab, repository: LabRepository, label: Omit<LabLabel, 'id'>): LabLabel {
  const made = { id: lab.nextId(), ...label };
  repository.labels = [...(repository.labels ?? []), made];
  return made;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function shapes(lab: Lab, repository: LabRepository, { labels = [] }: LabPull): object[] {
  return labels.map((name) => labelShape(lab, repository, labelOf(repository, name)));
}
