import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';

import type { ListedExperiment } from '../../../../client/seen-experiment.ts';
import type { Board, BoardExperiment } from '../../../../client/up/board.ts';
import { askedOfPerson, watchExperiments } from '../../../../client/up/experiment-watch.ts';
import { presentBoard } from '../../../../client/up/present-board.ts';
import { describeExperimentChanges } from '../../../../client/up/up-events.ts';
import { exampleSeen, exampleStatus, fakeExperiments } from '../example-experiment.ts';

const now = Date.parse('2026-01-01T01:00:00.000Z');

function row(id: string, more: Partial<BoardExperiment> = {}): BoardExperiment {
  const since = '2026-01-01T00:48:00.000Z';
  return {
    id,
    running: true,
    phase: 'training',
    since,
    waitingFor: '',
    asked: null,
    pullRequestUrl: null,
    url: null,
    ...more,
  };
}

function board(more: Partial<Board> = {}): Board {
  return {
    now,
    startedAt: now - 60_000,
    home: '/home/ann/.hephaestus',
    freeBytes: 2 ** 40,
    uiUrl: 'http://127.0.0.1:8233',
    services: [
      {
        name: 'worker',
        state: { status: 'ready', pid: 7, since: now },
        restarts: 0,
        memoryBytes: 2 ** 28,
        remark: 'local',
      },
    ],
    experiments: [],
    stale: null,
    events: [],
    ...more,
  };
}

function screen(shown: Board, size: { columns?: number; rows?: number; colour?: boolean } = {}): string[] {
  const colours = picocolors.createColors(size.colour === true);
  return presentBoard(shown, {
    colours,
    program: 'hephaestus',
    columns: size.columns ?? 120,
    rows: size.rows ?? 40,
  });
}

describe('the screen', () => {
  it('puts what waits for the person first, with the place to go to', () => {
    const lines = screen(
      board({
        experiments: [
          row('asks', {
            phase: 'deciding',
            asked: 'your decision. Better by 3 %.',
            pullRequestUrl: 'https://github.test/pull/7',
          }),
          row('trains', { waitingFor: 'the training to end' }),
          row('old', { running: false, phase: 'merged' }),
        ],
      }),
    );
    expect(lines.slice(0, 12)).toEqual([
      'Hephaestus is up  for 60 s',
      '  worker   ready     256 MB  local',
      '',
      'Waiting for you (1)',
      '  asks  deciding, for 12 min',
      '    your decision. Better by 3 %.',
      '    https://github.test/pull/7  hephaestus show asks',
      '',
      'Under way (1)',
      '  trains  training  12 min    waits for the training to end',
      '',
      'Ended last',
    ]);
  });

  it.each([
    [80, 24],
    [40, 12],
    [200, 60],
  ])('fits %d columns and %d rows with very many experiments', (columns, rows) => {
    const many = Array.from({ length: 300 }, (_, index) =>
      row(`experiment-with-a-long-name-${index}`, {
        asked: index % 3 === 0 ? 'what to do? '.repeat(30) : null,
        waitingFor: 'x'.repeat(100),
      }),
    );
    const lines = screen(board({ experiments: many }), { columns, rows, colour: true });
    // oxlint-disable-next-line no-control-regex -- colours take no room
    const plain = lines.map((line) => line.replaceAll(/\u001B\[\d*m/g, ''));
    expect(Math.max(...plain.map((line) => line.length))).toBeLessThanOrEqual(columns);
    if (rows >= 24) expect(lines.length).toBeLessThan(rows);
    expect(plain.some((line) => line.includes('more: hephaestus list --open'))).toBe(true);
  });

  it('says what is wrong: a service that ended, a disk that is nearly full, news that are old', () => {
    const end = { code: 137, locked: false, words: '' };
    const text = screen(
      board({
        services: [
          {
            name: 'worker',
            state: { status: 'waiting', until: now + 4000, end, hung: false },
            restarts: 2,
            memoryBytes: null,
            remark: '',
          },
        ],
        freeBytes: 2 ** 28,
        stale: 'Temporal cannot be reached',
      }),
    ).join('\n');
    expect(text).toContain('worker   ended     code 137, again in 4 s  restarted 2 times');
    expect(text).toContain('Only 256 MB are left');
    expect(text).toContain('Not up to date: Temporal cannot be reached');
  });

  it('lets no text from outside move the cursor', () => {
    const evil = row('a', { asked: 'x\u001B[2Jy', waitingFor: '\u0007' });
    // oxlint-disable-next-line no-control-regex -- finding them is the purpose
    expect(screen(board({ experiments: [evil] })).join('')).not.toMatch(/[\u0000-\u001F]/);
  });
});

describe('what is asked of a person', () => {
  it.each([
    ['nothing while it trains', exampleStatus(), null],
    ['a decision', exampleStatus({ phase: 'deciding' }), 'your decision: merge, reject, revise or rerun'],
    [
      'what to do about jobs',
      exampleStatus({ stalled: true, waitingFor: 'your word on the jobs' }),
      'It needs your word on the jobs',
    ],
    [
      'a word on the gate',
      exampleStatus({ phase: 'reviewing', gate: { status: 'block', reasons: ['no budget'] } }),
      'The quality gate blocks: no budget',
    ],
  ])('is %s', (_what, status, expected) => {
    expect(askedOfPerson(exampleSeen({ status }), status.phase)).toBe(expected);
  });
});

const listed = (id: string, phase: string): ListedExperiment => ({
  id,
  execution: 'running',
  phase,
  repository: null,
  pullRequest: null,
  jobIds: [],
  outcome: null,
  gpuHours: null,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
});

describe('the watch', () => {
  it('asks an experiment again when its phase has changed, and else only now and then', async () => {
    let phase = 'training';
    let time = now;
    const seen: string[] = [];
    const experiments = fakeExperiments({
      list: async () => [listed('one', phase)],
      see: async (id) => {
        seen.push(phase);
        return exampleSeen({ id, phase, status: exampleStatus({ phase: phase as 'training' }) });
      },
    });
    const watch = watchExperiments(
      () => experiments,
      () => time,
    );
    for (let look = 0; look < 5; look += 1) await watch.look();
    expect(seen).toEqual(['training']);
    phase = 'deciding';
    const rows = await watch.look();
    expect(seen).toEqual(['training', 'deciding']);
    expect(rows[0]?.asked).toContain('your decision');
    time += 31_000;
    await watch.look();
    expect(seen).toHaveLength(3);
  });

  it('tells a change once, and of what ended before it looked nothing', () => {
    const before = [row('one'), row('two')];
    const after = [
      row('one', { phase: 'deciding', asked: 'your decision' }),
      row('two', { running: false, phase: 'merged' }),
    ];
    expect(describeExperimentChanges(null, [row('old', { running: false, phase: 'failed' })])).toEqual([]);
    expect(describeExperimentChanges(before, after)).toEqual([
      'one: deciding, waits for you: your decision',
      'two: merged',
    ]);
    expect(describeExperimentChanges(after, after)).toEqual([]);
  });
});
