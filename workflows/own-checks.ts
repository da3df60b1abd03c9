import type { OwnCheck } from '../domain/decide-gate.ts';
import { taskNoteFile } from '../domain/ids.ts';
import type { CommandRehearsal, RehearsalCode } from '../activities/environment/interface.ts';
import type { Experiment } from './experiment-state.ts';
import { noteOf } from './plan-and-code.ts';

/** What Hephaestus itself knows of the change, as lines of the gate. */
export function ownChecks(experiment: Experiment): OwnCheck[] {
  const { rehearsal } = experiment;
  return [
    environmentCheck(experiment),
    ...(rehearsal === null ? [] : [commandCheck(rehearsal), offlineCheck(rehearsal)]),
    pathsCheck(experiment),
  ];
}

function environmentCheck({ environment }: Experiment): OwnCheck {
  const proven = `${environment?.digest.slice(0, 12) ?? 'none'} is proven portable (${environment?.packages ?? 0} packages)`;
  return {
    name: 'environment',
    passed: environment !== null,
    detail: `${proven}${withMissing(environment?.missingGuarantees ?? [])}`,
    mendable: false,
  };
}

/** How the run of W&B came out has a line of its own. */
const aboutRun: ReadonlySet<RehearsalCode | null> = new Set([
  'run-missing',
  'run-renamed',
  'run-online',
  'connection-attempted',
] as const);

function commandCheck({ status, code, sentence, missingGuarantees, outputTail }: CommandRehearsal): OwnCheck {
  const passed = status !== 'failed' || aboutRun.has(code);
  const tail = passed ? '' : `\nThe end of its output:\n${outputTail.slice(-1500)}`;
  return {
    name: 'command',
    passed,
    detail: `${aboutRun.has(code) ? 'it runs in the environment' : sentence}${withMissing(missingGuarantees)}${tail}`,
    // What the start script refuses is not in the code of the experiment.
    mendable: code === 'command-failed',
  };
}

/** Seen in the rehearsal, not searched for in the text of the script. */
function offlineCheck({ status, code, sentence, sawRun, connections }: CommandRehearsal): OwnCheck {
  const passed = status !== 'failed' || !aboutRun.has(code);
  const seen = sawRun
    ? `an offline run with the chosen id appeared, and ${connections.length === 0 ? 'no' : connections.length} connection was attempted`
    : 'it could not be seen in the rehearsal; the start script sets WANDB_MODE=offline and the run id';
  return { name: 'W&B offline', passed, detail: passed ? seen : sentence, mendable: true };
}

function pathsCheck(experiment: Experiment): OwnCheck {
  const { implementation } = experiment;
  const changed = implementation?.changedPaths.filter((path) => path !== taskNoteFile) ?? [];
  return {
    name: 'changed paths',
    passed: implementation !== null,
    detail: `${changed.join(', ')}, all inside ${noteOf(experiment).change.paths.join(', ')}; besides them the task note`,
    mendable: false,
  };
}

function withMissing(missing: readonly string[]): string {
  return missing.length === 0 ? '' : `; not proven on this machine: ${missing.join(' ')}`;
}
