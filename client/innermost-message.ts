/** What went wrong at first: Temporal wraps each failure into that of the activity and of the workflow. */
export function innermostMessage(error: Error): string {
  return error.cause instanceof Error ? innermostMessage(error.cause) : error.message;
}
