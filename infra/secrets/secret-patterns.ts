/**
 * What credentials look like that secretlint's rules do not know, or know only when every digit of them is right; few
 * and exact, because each false alarm stops an experiment.
 */
const patterns: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'a private key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
  { name: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})/ },
  { name: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  { name: 'a Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}/ },
  { name: 'an API key of a model', pattern: /\bsk-[A-Za-z0-9_-]{20,}/ },
  { name: 'a Hugging Face token', pattern: /\bhf_[A-Za-z0-9]{30,}/ },
  { name: 'a Slack token', pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/ },
  { name: 'a W&B key', pattern: /\bWANDB_API_KEY\s*[=:]\s*["']?(?:[0-9a-f]{40}|wandb_v1_[A-Za-z0-9_]{20,})/ },
];

/** The names of the kinds that a text holds. */
export function secretKinds(text: string): string[] {
  return patterns.filter(({ pattern }) => pattern.test(text)).map(({ name }) => name);
}
