import type { Agent } from '../../infra/agents/agent.ts';
import { geminiAgent } from '../../infra/agents/gemini.ts';
import { probeEndpoint } from '../../infra/agents/probe-endpoint.ts';
import { qwenAgent } from '../../infra/agents/qwen.ts';
import type { GeminiSettings, QwenSettings } from '../../infra/settings.ts';
import { good, type Check } from './finding.ts';

const system = 'models' as const;

/** Whether the endpoint of Gemini CLI answers and takes the key; asks for no text, so costs nothing. */
export function checkGemini(settings: GeminiSettings): Check {
  return checkEndpoint(geminiAgent({ argv: [], settings, writableFile: null, maxTurns: 1 }));
}

/** Whether the endpoint of Qwen Code answers and takes the key; asks for no text, so costs nothing. */
export function checkQwen(settings: QwenSettings): Check {
  return checkEndpoint(qwenAgent({ argv: [], settings, reportSchema: {}, maxTurns: 1, maxToolCalls: 1 }));
}

function checkEndpoint(agent: Agent): Check {
  return {
    system,
    look: async (signal) => {
      await probeEndpoint(agent, signal);
      return [
        good(system, `${agent.name}: ${new URL(agent.probe.url).origin} answers and does not refuse the key`),
      ];
    },
  };
}
