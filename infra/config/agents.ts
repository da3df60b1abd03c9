import { resolve } from 'node:path';

import type { AgentLimits, McpSettings, ResourcesSettings } from '../settings.ts';
import type { Reader } from './reader.ts';

export function readAgents(reader: Reader): AgentLimits {
  const limit = { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true } as const;
  return { maxTokens: reader.number('HEPHAESTUS_AGENT_MAX_TOKENS', limit) || Infinity };
}

export function readResources(reader: Reader, cwd: string): ResourcesSettings {
  const file = reader.text('HEPHAESTUS_RESOURCES');
  return { file: file === undefined ? undefined : resolve(cwd, file) };
}

/** The server and its token belong together: either without the other opens no pull request. */
export function readMcp(reader: Reader): McpSettings {
  const text = reader.text('GITHUB_MCP_SERVER');
  const token = reader.text('GITHUB_MCP_TOKEN') ?? '';
  if (text === undefined) return { server: null, token };
  if (token === '') {
    reader.required(
      'GITHUB_MCP_TOKEN',
      'make a token that may open pull requests of the experiment repositories and nothing else',
    );
  }
  if (/^https?:\/\//.test(text)) return { server: { url: reader.url('GITHUB_MCP_SERVER') ?? text }, token };
  const [program = text, ...args] = text.trim().split(/\s+/);
  return { server: { command: [program, ...args] }, token };
}
