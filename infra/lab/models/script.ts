import type { Conversation, Reply, ToolCall } from './conversation.ts';

/** What a prompt says of itself; read from the prompt alone, so that one script serves any experiment. */
export interface ScriptRequest {
  readonly prompt: string;
  readonly experimentId: string;
  readonly repository: string;
  readonly base: string;
  /** Of the implementation: 0 first, then one more for each repair or revision. */
  readonly round: number;
  /** How many prompts of this session came before. */
  readonly turn: number;
}

/** Replaces `oldText` (which must stand in the file once), or writes a new file when there is no `oldText`. */
export interface ScriptedEdit {
  readonly path: string;
  readonly oldText?: string | undefined;
  readonly newText: string;
}

export interface ScriptedChange {
  readonly edits: readonly ScriptedEdit[];
  /** Run by the agent's own shell tool after the edits. */
  readonly shell?: string | undefined;
  readonly summary: string;
}

/** What the models answer, one function for each role; anything that is no role gets `other`. */
export interface ModelsScript {
  /** The whole text of QWEN_TASK.md. */
  plan(request: ScriptRequest): string;
  implement(request: ScriptRequest): ScriptedChange;
  /** The text of the answer, normally JSON. */
  note(request: ScriptRequest): string;
  /** What is said about the results. */
  discuss?(request: ScriptRequest): string;
  other?(request: ScriptRequest): string;
}

const roles = ['plan', 'implement', 'note', 'open', 'discuss', 'other'] as const;
export type Role = (typeof roles)[number];

/** The role, from the first line of the prompt. */
export function roleOf(prompt: string): Role {
  const role = /^Task: (\w+)/.exec(prompt.trimStart())?.[1];
  return roles.find((known) => known === role) ?? 'other';
}

export function readRequest(conversation: Conversation): ScriptRequest {
  const { prompt, turn } = conversation;
  return {
    prompt,
    turn,
    experimentId: line(prompt, 'Experiment'),
    repository: line(prompt, 'Repository'),
    base: line(prompt, 'Base branch'),
    round: Number(line(prompt, 'Round') || '0'),
  };
}

/** The next answer of the conversation: one tool call at a time, as real models mostly do, then the closing words. */
export function nextReply(script: ModelsScript, conversation: Conversation): Reply {
  const request = readRequest(conversation);
  switch (roleOf(conversation.prompt)) {
    case 'plan':
      return play([writeFile(conversation, 'QWEN_TASK.md', script.plan(request))], conversation, {
        text: 'The task note is written.',
        calls: [],
      });
    case 'implement':
      return implement(script.implement(request), conversation);
    case 'note':
      return { text: script.note(request), calls: [] };
    case 'open':
      return openPullRequest(conversation);
    case 'discuss':
      return {
        text: script.discuss?.(request) ?? 'The table settles it; the picture shows no more than that.',
        calls: [],
      };
    case 'other':
      return { text: script.other?.(request) ?? 'There is nothing in the script for this.', calls: [] };
  }
}

/** Calls the tool that the prompt names with what it says, then tells what the tool answered. */
function openPullRequest(conversation: Conversation): Reply {
  const { prompt, tools, results } = conversation;
  const [owner = '', repo = ''] = line(prompt, 'Repository').split('/');
  const quoted = (label: string): string =>
    new RegExp(`^${label}:\\n\\n((?:> ?.*\\n?)+)`, 'm').exec(prompt)?.[1]?.replaceAll(/^> ?/gm, '').trim() ??
    '';
  const args = {
    owner,
    repo,
    head: line(prompt, 'Head branch'),
    base: line(prompt, 'Base branch'),
    title: quoted('Title'),
    body: quoted('Body'),
  };
  const name =
    tools.find((tool) => tool.endsWith('create_pull_request')) ?? 'mcp__github__create_pull_request';
  const summary = results.at(-1)?.text.slice(0, 500) ?? '';
  const end: Reply = { text: '', calls: [{ name: 'structured_output', args: { summary } }] };
  return play([{ name, args }], conversation, end);
}

function implement(change: ScriptedChange, conversation: Conversation): Reply {
  const calls = change.edits.flatMap((edit) => editCalls(edit, conversation));
  const shell: ToolCall[] =
    change.shell === undefined
      ? []
      : [
          {
            name: 'run_shell_command',
            args: { command: change.shell, description: 'scripted', is_background: false },
          },
        ];
  const report: Reply = conversation.tools.includes('structured_output')
    ? { text: '', calls: [{ name: 'structured_output', args: { summary: change.summary } }] }
    : { text: change.summary, calls: [] };
  return play([...calls, ...shell], conversation, report);
}

function editCalls(edit: ScriptedEdit, conversation: Conversation): ToolCall[] {
  const file_path = absolute(conversation, edit.path);
  if (edit.oldText === undefined) return [writeFile(conversation, edit.path, edit.newText)];
  // Qwen Code refuses to edit a file that it has not read in the session.
  return [
    { name: 'read_file', args: { file_path } },
    { name: 'edit', args: { file_path, old_string: edit.oldText, new_string: edit.newText } },
  ];
}

function writeFile(conversation: Conversation, path: string, content: string): ToolCall {
  return { name: 'write_file', args: { file_path: absolute(conversation, path), content } };
}

function absolute({ cwd }: Conversation, path: string): string {
  return path.startsWith('/') || cwd === '' ? path : `${cwd}/${path}`;
}

function play(calls: readonly ToolCall[], { results }: Conversation, end: Reply): Reply {
  const call = calls[results.length];
  return call === undefined ? end : { text: '', calls: [call] };
}

function line(prompt: string, label: string): string {
  return new RegExp(`^${label}: (.+)$`, 'm').exec(prompt)?.[1]?.trim() ?? '';
}
