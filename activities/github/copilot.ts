/**
 * Copilot's code review under the names by which GitHub's surfaces call it: REST, what people see and webhooks say, and
 * GraphQL.
 */
export const copilotLogins: readonly string[] = [
  'copilot-pull-request-reviewer[bot]',
  'copilot-pull-request-reviewer',
  'Copilot',
];

/** The one spelling by which a review can be asked for. */
export const copilotReviewer = 'copilot-pull-request-reviewer[bot]';
