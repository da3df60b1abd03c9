import { chance } from './chance.ts';

/** What was drawn for one experiment, before anything happens to it. */
export interface ExperimentPlan {
  readonly id: string;
  /** With which code its training ends when it is let to its end. */
  readonly exitCode: 0 | 1;
  readonly trainingSeconds: number;
  /** What its PI does: decides on the evidence, or stops it while it trains. */
  readonly word: 'merge' | 'reject' | 'stop';
  /** The create request of its first job is delivered a second time, when the first job has begun. */
  readonly doubled: boolean;
}

/** What the task note of each allows. */
export const attemptsAllowed = 5;

const failing = 0.1;
const stopped = 0.05;
const rejected = 0.1;
const doubled = 0.1;
/** Long enough that a stop always comes before its end. */
const untilStoppedSeconds = 600;

export function drawExperiment(seed: number, index: number): ExperimentPlan {
  const draw = (what: string) => chance(seed, index, what);
  const stops = draw('stops') < stopped;
  const rejects = draw('rejects') < rejected;
  return {
    id: `chaos-${seed}-${index}`,
    exitCode: draw('fails') < failing ? 1 : 0,
    trainingSeconds: stops ? untilStoppedSeconds : Number((0.1 + 0.9 * draw('seconds')).toFixed(2)),
    word: stops ? 'stop' : rejects ? 'reject' : 'merge',
    doubled: draw('doubled') < doubled,
  };
}

/** Where the trainings of an experiment are written down, below its source. */
export const trainingsFile = 'trainings.txt';

/** The training command: writes down that it begins and that it is done, by attempt, seed and job. */
export function trainingCommand({ exitCode, trainingSeconds }: ExperimentPlan): string {
  const who = '"$HEPHAESTUS_ATTEMPT" "$HEPHAESTUS_SEED" "$HEPHAESTUS_JOB_ID"';
  return [
    `printf 'begun %s %s %s\\n' ${who} >>${trainingsFile}`,
    `sleep ${trainingSeconds}`,
    `printf 'done %s %s %s\\n' ${who} >>${trainingsFile}`,
    `exit ${exitCode}`,
  ].join(' && ');
}
