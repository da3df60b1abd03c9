/** The answer to a body that the platform refuses. */
export interface Refusal {
  readonly httpStatus: number;
  readonly code: number;
  readonly message: string;
}

type Kind = 'string' | 'int' | 'number' | 'bool' | 'enum' | 'list';

const topFields: Readonly<Record<string, Kind>> = {
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
const required = [
  'name',
  'logic_compute_group_id',
  'project_id',
  'workspace_id',
  'framework',
  'command',
  'task_priority',
  'framework_config',
];
const configFields: Readonly<Record<string, Kind>> = {
  image: 'string',
  image_type: 'enum',
  instance_count: 'int',
  shm_gi: 'number',
  spec_id: 'string',
};
const envFields: Readonly<Record<string, Kind>> = { name: 'string', value: 'string' };
const imageTypes = ['SOURCE_PUBLIC', 'SOURCE_PRIVATE', 'SOURCE_OFFICIAL'];

/** Checks a create body as strictly as the platform's parser. `raw` is its text, in which the place of a fault is told. */
export function validateCreate(body: unknown, raw: string): Refusal | undefined {
  if (!isRecord(body)) return invalid('request body is not an object');
  const [config] = listOf(body['framework_config']);
  return (
    checkFields(body, topFields, raw) ??
    firstOf(listOf(body['envs']), (env) => checkFields(env, envFields, raw)) ??
    firstOf(listOf(body['framework_config']), (each) => checkFields(each, configFields, raw)) ??
    checkRequired(body, required) ??
    (config === undefined
      ? invalid('framework_config is empty')
      : checkRequired(config, Object.keys(configFields))) ??
    checkValues(body, config ?? {})
  );
}

type Fields = Readonly<Record<string, unknown>>;

function checkFields(
  value: Fields,
  fields: Readonly<Record<string, Kind>>,
  raw: string,
): Refusal | undefined {
  return firstOf(Object.entries(value), ([name, content]) => {
    const place = `proto: (line 1:${Math.max(1, raw.indexOf(`"${name}"`) + 1)})`;
    const kind = fields[name];
    if (kind === undefined)
      return { httpStatus: 200, code: 100_002, message: `${place}: unknown field "${name}"` };
    if (fits(kind, content)) return undefined;
    const camel = name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const message = `${place}: invalid value for ${kind} field ${camel}: ${JSON.stringify(content)}`;
    return { httpStatus: 200, code: 100_002, message };
  });
}

function fits(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'enum':
      return typeof value === 'string' && imageTypes.includes(value);
    case 'list':
      return Array.isArray(value) && value.every(isRecord);
  }
}

function checkRequired(value: Fields, names: readonly string[]): Refusal | undefined {
  const missing = names.find((name) => value[name] === undefined || value[name] === '');
  return missing === undefined ? undefined : invalid(`${missing} is required`);
}

function checkValues(body: Fields, config: Fields): Refusal | undefined {
  const priority = Number(body['task_priority']);
  if (priority < 1 || priority > 10) return invalid('无效的优先级值');
  if (!String(body['logic_compute_group_id']).startsWith('lcg-')) {
    return { httpStatus: 200, code: 100_002, message: '已选择的计算类型组不存在，请重新选择。' };
  }
  if (Number(config['instance_count']) < 1) return invalid('instance_count must be positive');
  if (!String(config['image']).includes('/')) {
    return { httpStatus: 200, code: 100_002, message: '无法找到对应镜像' };
  }
  return undefined;
}

function invalid(detail: string): Refusal {
  return { httpStatus: 400, code: -100_000, message: `参数校验错误: ${detail}` };
}

function firstOf<T>(values: readonly T[], check: (value: T) => Refusal | undefined): Refusal | undefined {
  for (const value of values) {
    const refusal = check(value);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
