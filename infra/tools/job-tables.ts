import { afterJobFailures, type AfterJobFailure } from '../../domain/after-job-failure.ts';
import { jobTable, platformWords, recordWords, type Cell } from '../../domain/job-table.ts';

/** `docs/jobs.md`: the two tables by which jobs are judged, for people; made from the tables that the code uses. */
export function jobTablesMarkdown(): string {
  return [
    '# How a job is judged',
    '',
    'Made by `npm run schema` from `domain/job-table.ts` and `domain/after-job-failure.ts`; a test holds it.',
    '',
    '## Two witnesses',
    '',
    'A row is what the platform says, a column what the job itself wrote on the shared disk. `nothing`: no job claimed the attempt. `alive`, `silent`: claimed, and the heartbeat moves, or has not moved for a while. `told`: it ended because it was told to. `done`, `failed`: the command ended with code 0, or with another. `refused`: the start script did not let it train. `displaced`: it found another job in its place. *queued* and *training* go on waiting; everything else is an end.',
    '',
    `| platform | ${recordWords.join(' | ')} |`,
    `|---|${recordWords.map(() => '---').join('|')}|`,
    ...platformWords.map(
      (word) => `| ${word} | ${recordWords.map((own) => verdictOf(jobTable[word][own])).join(' | ')} |`,
    ),
    '',
    '`evicted`: failed or stopped after the platform told that it took the job off its nodes. `over-time`: failed or stopped when its time limit had passed. `gone`: the platform does not know the job, several times in a row. `unknown`: a status that is not known here; it is shown as it came, and never an end. With `job.max_restarts` above 0, `failed` goes on waiting until the platform itself has ended the job. Where the platform has ended a job whose last record is of an end that may have been followed by another round (*told*, or *failed* with `job.max_restarts`), the disk is asked once more before the last word.',
    '',
    '### In words',
    '',
    ...platformWords.flatMap((word) => [
      `**${word}**`,
      '',
      ...recordWords.map(
        (own) => `- ${own}: ${verdictOf(jobTable[word][own])}: ${jobTable[word][own].sentence}`,
      ),
      '',
    ]),
    '## What follows when a job ended badly',
    '',
    '*again*: a new attempt of that seed, by itself, at most so many times, while `budget.attempts` and `budget.gpu_hours` of the task note allow it. *ask*: the experiment waits for your word (`rerun`, `revise`, `reject`, `stop`), unless other seeds trained: then they are reported, and the decision is asked as always. *end*: the experiment ends as `failed`, unless other seeds trained.',
    '',
    '| failure | then | because |',
    '|---|---|---|',
    ...Object.entries<AfterJobFailure>(afterJobFailures).map(
      ([type, row]) =>
        `| [${type}](failures.md#${type.toLowerCase()}) | ${row.next}${row.next === 'again' ? `, at most ${row.most} times` : ''} | ${row.why} |`,
    ),
    '| every other | end | the cause has to be mended first |',
    '',
  ].join('\n');
}

function verdictOf(cell: Cell): string {
  return cell.status === 'wait' ? `*${cell.phase}*` : cell.outcome;
}
