import type { ProgramEnd } from '../../infra/supervisor/guarded-process.ts';
import type { Supervised } from '../../infra/supervisor/supervise.ts';
import { duration } from '../cli/format.ts';
import type { BoardExperiment } from './board.ts';
import { plainWords } from './worker-service.ts';

/** Exit codes from here on are those of a signal, or of a program that could not be started. */
const signalled = 126;

/** What a service's newest state is worth telling; null for what everybody expects. */
export function describeServiceChange(service: Supervised): string | null {
  const state = service.state();
  switch (state.status) {
    case 'ready':
      return `${service.name} is ready (process ${state.pid})`;
    case 'waiting': {
      const pause = state.until - Date.now();
      if (state.hung) return `${service.name} no longer answered: it was ended and is started again`;
      const again = pause < 100 ? 'is started again' : `is started again in ${duration(pause)}`;
      // One that was killed had no time to give a reason: its last words are about something else.
      const reason = state.end.code < signalled ? firstWords(state.end) : '';
      return `${service.name} ended (code ${state.end.code}) and ${again}${reason === '' ? '' : `: ${reason}`}`;
    }
    case 'starting':
    case 'stopped':
      return null;
  }
}

/** The first line may only say that there are problems. */
function firstWords(end: ProgramEnd): string {
  const [first = '', second = ''] = plainWords(end).split('\n');
  return first.endsWith(':') ? `${first} ${second.trim()}` : first;
}

/** What happened to the experiments between two looks; what was there at the first look is told as well. */
export function describeExperimentChanges(
  before: readonly BoardExperiment[] | null,
  now: readonly BoardExperiment[],
): string[] {
  const known = new Map((before ?? []).map((row) => [row.id, row]));
  return now.flatMap((row) => {
    const old = known.get(row.id);
    const isNews = row.running || (before !== null && old !== undefined);
    if (!isNews || (old?.phase === row.phase && old.asked === row.asked)) return [];
    return [`${row.id}: ${row.phase}${row.asked === null ? '' : `, waits for you: ${row.asked}`}`];
  });
}
