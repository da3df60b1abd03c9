import { lintSource } from '@secretlint/core';
import { rules as recommended } from '@secretlint/secretlint-rule-preset-recommend';

import { secretKinds } from '../../infra/secrets/secret-patterns.ts';

/** By this one a comment in the text could tell the others to look away. */
const blindfold = '@secretlint/secretlint-rule-filter-comments';

const rules = recommended
  .filter(({ meta }) => meta.id !== blindfold)
  .map((rule) => ({ id: rule.meta.id, rule }));

/**
 * The kinds of secrets in a text, never the secrets: what secretlint's recommended rules know, what `secretKinds` adds to
 * them, and `known`, this worker's own. Comments in the text that tell secretlint to look away are not obeyed.
 */
export async function findSecrets(
  path: string,
  text: string,
  known: readonly string[],
): Promise<readonly string[]> {
  const own = known.some((secret) => secret.length >= 8 && text.includes(secret));
  const found = [...secretKinds(text), ...(own ? ["one of this worker's own credentials"] : [])];
  return found.length > 0 ? found : foundByRules(path, text);
}

async function foundByRules(path: string, text: string): Promise<string[]> {
  const extension = /\.[^./]+$/.exec(path)?.[0] ?? '';
  const { messages } = await lintSource({
    source: { filePath: path, content: text, ext: extension, contentType: 'text' },
    options: { config: { rules }, maskSecrets: true },
  });
  const kinds = messages.map(({ ruleId, messageId }) => `what ${ruleId} calls ${messageId}`);
  return [...new Set(kinds)];
}
