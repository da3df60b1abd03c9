import { z } from 'zod';

import { parseJson } from './parse-json.ts';

export interface AnswerIds {
  /** By which the platform's people find the request on their side. */
  readonly platformRequestId?: string;
  readonly jobId?: string;
}

const id = z
  .string()
  .regex(/^[\w.:-]{1,128}$/)
  .optional()
  .catch(undefined);
const holder = z.object({ job_id: id }).optional().catch(undefined);
const Answer = z.object({
  ResponseMetadata: z.object({ RequestId: id }).optional().catch(undefined),
  Result: holder,
  data: holder,
});

/** What of an answer goes into the log: ids, and nothing that could be a token. */
export function answerIds(body: string, header: unknown): AnswerIds {
  const answer = Answer.safeParse(parseJson(body)).data;
  const platformRequestId = answer?.ResponseMetadata?.RequestId ?? id.parse(header);
  const jobId = answer?.data?.job_id ?? answer?.Result?.job_id;
  return {
    ...(platformRequestId !== undefined && { platformRequestId }),
    ...(jobId !== undefined && { jobId }),
  };
}
