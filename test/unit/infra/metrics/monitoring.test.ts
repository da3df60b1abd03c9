import { readFile } from 'node:fs/promises';

import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { createLabMetrics } from '../../../../infra/metrics/create-lab-metrics.ts';
import type { LabSight } from '../../../../infra/temporal/lab-reader.ts';
import { exampleStatus } from '../../client/example-experiment.ts';

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Hephaestus[A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[smhd]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['page', 'tell']) }),
          annotations: z.strictObject({ summary: z.string(), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});

const Dashboard = z.object({
  title: z.string(),
  uid: z.string(),
  schemaVersion: z.number(),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      type: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ expr: z.string() })).min(1),
    }),
  ),
});

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const rules = Rules.parse(parse(await read('infra/monitoring/prometheus/alerts.yml'))).groups.flatMap(
  (group) => group.rules,
);
const dashboard = Dashboard.parse(JSON.parse(await read('infra/monitoring/grafana/hephaestus.json')));
const runbook = await read('docs/runbook.md');
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

const sight: LabSight = {
  readAt: '2026-01-01T00:00:00.000Z',
  unanswered: 0,
  open: { syncs: 1, oldestSyncAt: '2026-01-01T00:00:00.000Z', deliveries: 0, failedDeliveries: 2 },
  experiments: [
    {
      id: 'warmup',
      workflowId: 'experiment/warmup',
      runId: 'run',
      execution: 'RUNNING',
      phase: 'queued',
      outcome: null,
      repository: null,
      pullRequest: null,
      gpuHours: null,
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: null,
      status: exampleStatus({ phase: 'deciding', budget: { gpuHours: 8, attempts: 3 } }),
    },
  ],
};

describe('the figures of the lab', () => {
  it('tell what the experiments are at', async () => {
    const text = await createLabMetrics(async () => sight).render();
    for (const line of [
      'hephaestus_temporal_up 1',
      'hephaestus_experiments{phase="deciding"} 1',
      'hephaestus_experiments{phase="queued"} 0',
      'hephaestus_experiment_awaiting{experiment="warmup",whom="person"} 1',
      'hephaestus_experiment_gpu_hours_asked{experiment="warmup"} 8',
      'hephaestus_experiment_gpu_hours_used{experiment="warmup"} 0.5',
      'hephaestus_experiment_tokens{experiment="warmup"} 12',
      'hephaestus_notifications{state="failed"} 2',
      'hephaestus_syncs_behind 1',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('tell that Temporal is away, and nothing of before', async () => {
    let away = false;
    const metrics = createLabMetrics(async () => {
      if (away) throw new Error('away');
      return sight;
    });
    await metrics.render();
    away = true;
    const text = await metrics.render();
    expect(text).toContain('hephaestus_temporal_up 0');
    expect(text.match(/^hephaestus_\w+/gm)).toEqual(['hephaestus_temporal_up']);
  });
});

describe('alerts and dashboard', () => {
  it.each(expressions)('%s: Prometheus can read it', (_what, expr) => {
    const wrong: string[] = [];
    parser.parse(expr).iterate({
      enter: (node) => {
        if (node.type.isError) wrong.push(expr.slice(node.from, node.to + 10));
      },
    });
    expect(wrong).toEqual([]);
  });

  it.each(expressions)('%s: asks only for figures that are told', async (_what, expr) => {
    const text = await createLabMetrics(async () => sight).render();
    const names = expr.match(/\bhephaestus_\w+/g) ?? [];
    for (const name of names.filter((each) => !each.startsWith('hephaestus_webhook_')))
      expect(text).toContain(`# TYPE ${name} `);
  });

  it('stand in the runbook, each with how to look and what to do, and nothing else does', () => {
    const sections = new Map(
      runbook
        .split(/^## /m)
        .slice(1)
        .map((text) => [text.slice(0, text.indexOf('\n')), text]),
    );
    for (const { alert, labels, annotations } of rules) {
      const section = sections.get(alert) ?? '';
      expect(section, alert).toContain(`*${labels.severity}*`);
      expect(section, alert).toMatch(/- Look: \S[\s\S]*- Do: \S/);
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    }
    const alerts = [...sections.keys()].filter((name) => name.startsWith('Hephaestus'));
    expect(alerts).toEqual(rules.map(({ alert }) => alert));
  });

  it('are wide enough for their place', () => {
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});
