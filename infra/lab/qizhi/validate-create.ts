import type { Refusal } from './answers.ts';
import { priorityLevel } from './priority.ts';
import {
  canonicalNames,
  fieldTrouble,
  isRecord,
  listOf,
  type Fields,
  type Values,
} from './request-fields.ts';
import type { Settings } from './settings.ts';

export type SurfaceName = 'openapi' | 'v2';

const topFields: Fields = {
  name: 'string',
  logic_compute_group_id: 'string',
  project_id: 'string',
  workspace_id: 'string',
  framework: 'string',
  command: 'string',
  task_priority: 'int',
  framework_config: 'list',
  auto_fault_tolerance: 'bool',
  fault_tolerance_max_retry: 'int',
  max_running_time_ms: 'string',
  reserve_on_fail_ms: 'string',
  reserve_on_success_ms: 'string',
  tb_summary_path: 'string',
  envs: 'list',
  enable_notification: 'bool',
  enable_troubleshoot: 'bool',
  dataset_info: 'list',
};
const v2Fields: Fields = {
  ...topFields,
  fault_tolerance_retry_interval_sec: 'int',
  description: 'string',
  exclude_nodes: 'texts',
  specified_nodes: 'texts',
  is_publicpath_readonly: 'bool',
  pre_check_items: 'texts',
  runtime_attributes: 'list',
};
const required = [
  'name',
  'logic_compute_group_id',
  'project_id',
  'workspace_id',
  'framework',
  'command',
  'framework_config',
];
const configFields: Fields = {
  image: 'string',
  image_type: 'enum',
  instance_count: 'int',
  shm_gi: 'number',
  spec_id: 'string',
};
const envFields: Fields = { name: 'string', value: 'string' };

/** A body that the platform takes. */
export interface CreateBody extends Values {
  readonly name: string;
  readonly command: string;
  readonly task_priority: number;
  readonly logic_compute_group_id: string;
  readonly framework_config: readonly [
    {
      readonly image: string;
      readonly image_type: string;
      readonly instance_count: number;
      readonly spec_id: string;
    },
  ];
}

// Where v2 is not told a priority; no source names its own.
const unnamedPriority = 4;

/**
 * Checks a create body as strictly as the platform's parser. `raw` is its text, in which the place of a fault is told.
 * A body that passes is a `CreateBody`, but for a priority that `v2` may leave out.
 */
export function validateCreate(
  body: unknown,
  raw: string,
  surface: SurfaceName = 'openapi',
): Refusal | undefined {
  if (!isRecord(body)) return invalid('request body is not an object');
  const trouble =
    fieldTrouble(body, surface === 'v2' ? v2Fields : topFields, raw) ??
    firstOf(listOf(body['envs']), (env) => fieldTrouble(env, envFields, raw)) ??
    firstOf(listOf(body['framework_config']), (each) => fieldTrouble(each, configFields, raw));
  if (trouble !== undefined) return parameter(trouble);
  const [config] = listOf(body['framework_config']);
  const names = surface === 'v2' ? required : [...required, 'task_priority'];
  const missing = missingOf(body, names) ?? missingOf(config ?? {}, Object.keys(configFields));
  return missing === undefined ? wrongValue(withPriority(body)) : invalid(`${missing} is required`);
}

/** A body that has passed, whole. */
export function withPriority(body: Values): CreateBody {
  return { task_priority: unnamedPriority, ...body } as unknown as CreateBody;
}

/** What the state of the cluster and the project has against a body that is well-formed. */
export function refuseByPolicy(body: CreateBody, policy: Settings['create']): Refusal | undefined {
  const [config] = body.framework_config;
  const group = body.logic_compute_group_id;
  const spec = policy.specs[config.spec_id];
  if (policy.groups !== null && !policy.groups.includes(group)) {
    return parameter('已选择的计算类型组不存在，请重新选择。');
  }
  if (spec?.groups !== undefined && !spec.groups.includes(group)) {
    return parameter(`quota_id ${config.spec_id} does not belong to logic_compute_group ${group}`);
  }
  if (spec?.levels !== undefined && !spec.levels.includes(priorityLevel(body.task_priority))) {
    return parameter('任务优先级不在该资源规格允许的范围内');
  }
  if (body.task_priority > policy.priorityCap) {
    return { kind: 'priority-cap', message: `优先级超过项目允许的最大优先级 ${policy.priorityCap}` };
  }
  if (policy.images === null) return undefined;
  const visibility = policy.images[config.image];
  if (visibility === undefined) {
    return policy.unknownImage === 'refused' ? parameter('无法找到对应镜像') : undefined;
  }
  return visibility === config.image_type ? undefined : { kind: 'internal', message: 'Unauthorized' };
}

/** A body of `/api/v2` under the names that the platform writes. */
export function v2Names(body: Values): Values {
  const top = canonicalNames(body, v2Fields);
  const inside = (name: string, fields: Fields) =>
    Array.isArray(top[name]) && {
      [name]: top[name].map((each: unknown) => (isRecord(each) ? canonicalNames(each, fields) : each)),
    };
  return { ...top, ...inside('framework_config', configFields), ...inside('envs', envFields) };
}

function missingOf(values: Values, names: readonly string[]): string | undefined {
  return names.find((name) => values[name] === undefined || values[name] === '');
}

function wrongValue(body: CreateBody): Refusal | undefined {
  const [config] = body.framework_config;
  if (body.task_priority < 1 || body.task_priority > 10) return invalid('无效的优先级值');
  if (!body.logic_compute_group_id.startsWith('lcg-')) {
    return parameter('已选择的计算类型组不存在，请重新选择。');
  }
  if (config.instance_count < 1) return invalid('instance_count must be positive');
  if (!config.image.includes('/')) return parameter('无法找到对应镜像');
  return undefined;
}

function parameter(message: string): Refusal {
  return { kind: 'parameter', message };
}

function invalid(detail: string): Refusal {
  return { kind: 'body', message: `参数校验错误: ${detail}` };
}

function firstOf<T>(values: readonly T[], trouble: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = trouble(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
