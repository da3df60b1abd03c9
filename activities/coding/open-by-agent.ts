import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { branchName } from '../../domain/ids.ts';
import { tokensOf } from '../../domain/model-usage.ts';
import { withAgentSession } from '../../infra/agents/agent-session.ts';
import { qwenAgent } from '../../infra/agents/qwen.ts';
import { quote } from '../../infra/agents/quote.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import type { McpSettings } from '../../infra/settings.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { type CodingDeps, experimentDir } from './coding-deps.ts';
import type { OpenByAgentInput, OpenedByAgent } from './interface.ts';

const Report = z.strictObject({ summary: z.string().max(4000).describe('What the tool answered') });

const wallClockMs = 5 * 60_000;
const tool = 'create_pull_request';

/**
 * Qwen Code opens the pull request by GitHub's MCP server, in an empty folder and with that one tool: neither a shell nor
 * a file is in its reach while it holds a credential. What it says proves nothing; the pull request is looked for by its
 * branch afterwards. Throws the failures of `runAgent`, and `AgentRefused` where no server is configured.
 */
export async function openByAgent(
  deps: CodingDeps,
  input: OpenByAgentInput,
  watch: AgentWatch,
): Promise<OpenedByAgent> {
  const { server, token } = deps.mcp;
  if (server === null) {
    throw new Failure(
      'AgentRefused',
      'HEPHAESTUS_PULL_REQUEST_BY is qwen, and this worker knows no MCP server; set GITHUB_MCP_SERVER and GITHUB_MCP_TOKEN in the networked zone',
    );
  }
  const agent = qwenAgent({
    argv: deps.tools.qwen,
    settings: deps.qwen,
    reportSchema: z.toJSONSchema(Report),
    maxTurns: 10,
    maxToolCalls: 5,
    only: {
      server: 'github',
      tool,
      settings: serverSettings(server, token, deps.git.serverUrl),
      secrets: [token],
    },
  });
  const scratchDir = deps.scratchDir ?? tmpdir();
  await mkdir(scratchDir, { recursive: true });
  const cwd = await mkdtemp(join(scratchDir, 'pull-request-'));
  const options = {
    ...watch,
    cwd,
    environment: deps.environment,
    scratchDir,
    transcriptFile: join(experimentDir(deps, input.experimentId), 'agent', 'pull-request.jsonl'),
    wallClockMs,
    maxTokens: deps.limits.maxTokens,
  };
  const [owner = '', repo = ''] = input.repository.split('/');
  const prompt = renderTemplate('open-prompt.md.njk', {
    input,
    owner,
    repo,
    head: branchName(input.experimentId),
    tool: `mcp__github__${tool}`,
    title: quote(input.title, 300),
    body: quote(input.body, 20_000),
  });
  try {
    const answer = await withAgentSession(agent, options, (say) => say(prompt));
    const said = Report.safeParse(answer.structured).data?.summary ?? answer.text;
    return { said: said.slice(0, 1000), tokens: tokensOf(answer.usage), usage: answer.usage };
  } finally {
    await rm(cwd, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** As Qwen Code's settings write it. A server other than github.com is an enterprise one, reached by its own address. */
function serverSettings(
  server: NonNullable<McpSettings['server']>,
  token: string,
  serverUrl: string,
): object {
  const common = { trust: true, includeTools: [tool], timeout: 60_000 };
  if ('url' in server) {
    const headers = {
      Authorization: `Bearer ${token}`,
      'X-MCP-Tools': tool,
      // Else the hosted server may show a form to a person who is not there, and create nothing.
      'X-MCP-Features': 'mcp_apps_disable_form_deferral',
    };
    return { ...common, httpUrl: server.url, headers };
  }
  const [command, ...args] = server.command;
  const host = serverUrl === 'https://github.com' ? {} : { GITHUB_HOST: serverUrl };
  const env = { ...host, GITHUB_PERSONAL_ACCESS_TOKEN: token, GITHUB_TOOLS: tool };
  return { ...common, command, args, env };
}
