import { join } from 'node:path';

import { startGithubStandIn } from './github/start-github-stand-in.ts';
import type { ModelsScript } from './models/script.ts';
import { startModelsStandIn } from './models/models-stand-in.ts';
import { startQizhiStandIn } from './qizhi/start-qizhi-stand-in.ts';
import type { StandIn } from './stand-in.ts';
import { startWandbStandIn } from './wandb/start-wandb-stand-in.ts';

export interface LabOptions {
  /** Each stand-in keeps its state in a folder of its own below this one. */
  readonly directory: string;
  /** What the two models answer. */
  readonly script: ModelsScript;
  /** Free ports are taken where none is given. */
  readonly ports?: Readonly<Partial<Record<StandIn['name'], number>>>;
}

/** The outside world of Hephaestus, on the loopback. */
export interface Lab {
  readonly github: Awaited<ReturnType<typeof startGithubStandIn>>;
  readonly qizhi: Awaited<ReturnType<typeof startQizhiStandIn>>;
  readonly wandb: StandIn;
  readonly models: StandIn;
  /** The settings of the product that point at all of them. */
  readonly settings: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts the four stand-ins; started again on the same folder, they go on where they were. */
export async function startLab({ directory, script, ports = {} }: LabOptions): Promise<Lab> {
  const at = (name: StandIn['name']) => {
    const port = ports[name];
    return { directory: join(directory, name), ...(port !== undefined && { port }) };
  };
  const [github, qizhi, wandb, models] = await Promise.all([
    startGithubStandIn(at('github')),
    startQizhiStandIn({ ...at('qizhi'), username: 'researcher', password: 'lab-password-of-the-researcher' }),
    startWandbStandIn(at('wandb')),
    startModelsStandIn({ ...at('models'), script }),
  ]);
  const standIns = [github, qizhi, wandb, models];
  return {
    github,
    qizhi,
    wandb,
    models,
    settings: Object.assign({}, ...standIns.map(({ settings }) => settings)) as Record<string, string>,
    close: async () => {
      await Promise.all(standIns.map((standIn) => standIn.close()));
    },
  };
}
