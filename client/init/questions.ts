import { definitionOf, type Key, type Zone } from '../../infra/config/keys.ts';

/** A setting that most people have to think about; all others stand in the file with their defaults. */
export interface AskedSetting {
  readonly key: Key;
  readonly message: string;
  /** Nothing works in its zone without it. */
  readonly required: boolean;
}

const byZone: Readonly<Record<Zone, readonly AskedSetting[]>> = {
  local: [
    { key: 'GEMINI_API_KEY', message: 'API key of Gemini CLI, which plans and writes notes', required: true },
    {
      key: 'HEPHAESTUS_VAULT',
      message: 'Folder or git remote for the permanent notes (empty: a folder in .hephaestus)',
      required: false,
    },
  ],
  control: [
    { key: 'GITHUB_SERVER_URL', message: 'GitHub server', required: false },
    {
      key: 'GITHUB_API_URL',
      message: 'Its API (GitHub Enterprise: the server with /api/v3)',
      required: false,
    },
    {
      key: 'GITHUB_TOKEN',
      message: 'GitHub token that may write contents, pull requests and commit statuses',
      required: true,
    },
    {
      key: 'GITHUB_WEBHOOK_SECRET',
      message: 'Secret of the webhook on GitHub (empty: GitHub is only asked, never heard)',
      required: false,
    },
    { key: 'QIZHI_BASE_URL', message: 'Address of the cluster platform', required: false },
    { key: 'QIZHI_USERNAME', message: 'Login id on the platform (not the display name)', required: true },
    { key: 'QIZHI_PASSWORD', message: 'Password of that account', required: true },
  ],
  networked: [
    {
      key: 'HEPHAESTUS_SHARED_DIR',
      message: 'Shared disk, as this machine sees it (empty: a folder in .hephaestus)',
      required: false,
    },
    {
      key: 'HEPHAESTUS_JOB_SHARED_DIR',
      message: 'The same disk, as a job sees it (empty: the same path)',
      required: false,
    },
    {
      key: 'GITHUB_PUSH_TOKEN',
      message: 'GitHub token that may push branches and nothing else',
      required: true,
    },
    { key: 'WANDB_BASE_URL', message: 'W&B server', required: false },
    { key: 'WANDB_API_KEY', message: 'W&B API key', required: true },
    {
      key: 'WANDB_ENTITY',
      message: 'W&B user or team that runs go to (empty: that of the key)',
      required: false,
    },
    { key: 'OPENAI_API_KEY', message: 'API key of the coding model, for Qwen Code', required: true },
    {
      key: 'OPENAI_BASE_URL',
      message: 'Its endpoint, OpenAI-compatible (empty: DashScope)',
      required: false,
    },
    { key: 'OPENAI_MODEL', message: 'Its model (empty: the default)', required: false },
  ],
};

/** What is asked on a machine that serves these zones, in this order. */
export function questionsFor(zones: readonly Zone[]): AskedSetting[] {
  return zones
    .flatMap((zone) => byZone[zone])
    .filter(
      // One process that serves both zones pushes with the token that it holds anyway.
      ({ key }) => key !== 'GITHUB_PUSH_TOKEN' || !zones.includes('control'),
    );
}

export function isSecret(key: Key): boolean {
  return definitionOf(key).secrecy === 'credential';
}
