import type { Zone } from '../../infra/config/keys.ts';
import type { Part, PartialConfig } from '../../infra/config/load-partially.ts';
import type { Environment } from '../../infra/env.ts';
import { checkClock } from './check-clock.ts';
import { checkConfiguration, partOrFindings } from './check-configuration.ts';
import { checkDisk } from './check-disk.ts';
import { checkGithub } from './check-github.ts';
import { checkHome } from './check-home.ts';
import { checkGemini, checkQwen } from './check-models.ts';
import { checkQizhi } from './check-qizhi.ts';
import { checkTemporal } from './check-temporal.ts';
import { checkTools } from './check-tools.ts';
import { checkWandb } from './check-wandb.ts';
import type { Check, System } from './finding.ts';

export interface ChooseOptions {
  readonly config: PartialConfig;
  readonly env: Environment;
  readonly cwd: string;
  readonly toolsRoot: string;
  /** The zones that this machine is said to serve; null when nothing was said. */
  readonly zones: readonly Zone[] | null;
  /** `owner/name` whose rights are looked at. */
  readonly repository: string | undefined;
  readonly timeoutMs: number;
}

/** A check for everything that is configured here, and a finding for everything that is not. */
export function chooseChecks(options: ChooseOptions): Check[] {
  const { config, env, cwd, zones, repository, timeoutMs, toolsRoot } = options;
  const of = <T>(system: System, name: string, part: Part<T>, check: (value: T) => Check): Check => {
    const found = partOrFindings(system, name, part, zones);
    return 'value' in found ? check(found.value) : { system, look: async () => found.findings };
  };
  // A machine that was said to serve other zones has no business with the disk; the path alone is always set.
  const usesDisk =
    zones === null
      ? config.wandb.status === 'read' || config.qwen.status === 'read'
      : zones.includes('networked');
  return [
    checkConfiguration({ config, cwd, env, zones }),
    checkHome(config.home),
    checkTools(toolsRoot, env),
    of('temporal', 'Temporal', config.temporal, checkTemporal),
    of('github', 'GitHub', config.github, (value) => checkGithub(value, repository, timeoutMs)),
    of('qizhi', 'Qizhi', config.qizhi, (value) => checkQizhi(value, timeoutMs)),
    of('wandb', 'W&B', config.wandb, checkWandb),
    of('models', 'Gemini CLI', config.gemini, checkGemini),
    of('models', 'Qwen Code', config.qwen, checkQwen),
    ...(usesDisk ? [of('disk', 'The shared disk', config.sharedDisk, checkDisk)] : []),
    checkClock(serverUrls(config)),
  ];
}

function serverUrls({ github, wandb, qizhi }: PartialConfig): string[] {
  return [
    ...(github.status === 'read' ? [github.value.apiUrl] : []),
    ...(wandb.status === 'read' ? [wandb.value.baseUrl] : []),
    ...(qizhi.status === 'read' ? [qizhi.value.baseUrl] : []),
  ];
}
