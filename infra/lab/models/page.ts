import { moment } from '../../templates/markdown-filters.ts';
import type { ModelCall } from './calls.ts';
import type { Fault } from './faults.ts';

/** The page for people: which calls came and what was answered. */
export function modelsPage(calls: readonly ModelCall[], faults: readonly Fault[]): string {
  const rows = calls
    .slice(-200)
    .toReversed()
    .map(
      (call) =>
        `<tr><td>${escape(moment(call.at))}</td><td>${call.protocol === 'gemini' ? 'Gemini CLI' : 'Qwen Code'}</td>` +
        `<td>${escape(call.role)}</td><td>${escape(call.experimentId)}</td><td>${call.turn}.${call.results}</td>` +
        `<td>${escape(call.answer)}</td><td><details><summary>prompt</summary><pre>${escape(call.prompt)}</pre></details></td></tr>`,
    );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Model endpoints (stand-in)</title>
<style>body{font:15px/1.4 system-ui;color:#1f2328;margin:2rem auto;max-width:75rem;padding:0 1rem}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}pre{white-space:pre-wrap;overflow-wrap:anywhere}
td:first-child,summary{white-space:nowrap}td:nth-child(6){overflow-wrap:anywhere;min-width:14rem}</style>
<h1>Model endpoints</h1><p>A stand-in: the agents are the real programs, the models' answers come from a script.
${calls.length} calls so far, ${faults.length} faults set.</p>
<div class="scroll"><table><tr><th>time<th>agent<th>role<th>experiment<th>turn.step<th>answer<th></tr>${rows.join('\n')}</table></div></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
