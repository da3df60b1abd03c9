import { z } from 'zod';

import { parseLooseJson } from '../../wandb/loose-json.ts';
import type { RunRecord, RunState } from './run-record.ts';

const Filter = z.record(z.string(), z.unknown());
type Filter = z.infer<typeof Filter>;

/** A run with its state at the time of asking. */
export type FilteredRun = RunRecord & { readonly state: RunState };

/** Whether a run fits a Mongo-style filter (JSON text): `$and`, `$or`, `$not`, `$in`, `$nin`, `$ne`, `$eq`, `$regex`. */
export function fitsFilter(run: FilteredRun, filterText: string | null | undefined): boolean {
  if (filterText === null || filterText === undefined || filterText === '') return true;
  return fits(run, Filter.parse(JSON.parse(filterText)));
}

function fits(run: FilteredRun, filter: Filter): boolean {
  return Object.entries(filter).every(([key, condition]) => {
    switch (key) {
      case '$and':
        return z
          .array(Filter)
          .parse(condition)
          .every((part) => fits(run, part));
      case '$or':
        return z
          .array(Filter)
          .parse(condition)
          .some((part) => fits(run, part));
      case '$not':
        return !fits(run, Filter.parse(condition));
      default:
        return fieldFits(fieldOf(run, key), condition);
    }
  });
}

function fieldFits(field: unknown, condition: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return equals(field, condition);
  return Object.entries(condition).every(([operator, wanted]: [string, unknown]) => {
    switch (operator) {
      case '$eq':
        return equals(field, wanted);
      case '$ne':
        return !equals(field, wanted);
      case '$in':
        return z
          .array(z.unknown())
          .parse(wanted)
          .some((each) => equals(field, each));
      case '$nin':
        return !z
          .array(z.unknown())
          .parse(wanted)
          .some((each) => equals(field, each));
      case '$regex':
        return typeof field === 'string' && new RegExp(z.string().parse(wanted)).test(field);
      default:
        throw new Error(`the filter operator ${operator} is not known to this stand-in`);
    }
  });
}

/** A list equals whatever is in it, as in Mongo: `{ tags: 'x' }` finds runs that carry the tag. */
function equals(field: unknown, wanted: unknown): boolean {
  return Array.isArray(field) ? field.includes(wanted) : field === wanted;
}

function fieldOf(run: FilteredRun, key: string): unknown {
  switch (key) {
    case 'name':
      return run.runId;
    case 'displayName':
    case 'display_name':
      return run.displayName;
    case 'group':
      return run.group;
    case 'tags':
      return run.tags;
    case 'jobType':
    case 'job_type':
      return run.jobType;
    case 'state':
      return run.state;
    default:
      return nestedField(run, key);
  }
}

/** `config.lr.value` and `summary_metrics.val/loss`. */
function nestedField(run: RunRecord, key: string): unknown {
  const [root, ...rest] = key.split('.');
  const text = root === 'config' ? run.config : root === 'summary_metrics' ? run.summary : undefined;
  if (text === undefined) throw new Error(`the filter field ${key} is not known to this stand-in`);
  let value = parseLooseJson(text);
  for (const part of rest) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
