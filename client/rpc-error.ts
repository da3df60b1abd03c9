import { isGrpcServiceError } from '@temporalio/client';

/** The codes of gRPC that something is decided on here. */
export const rpcCodes = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The gRPC code of an error or of what caused it, undefined when it did not come over the wire. */
export function rpcCode(error: unknown): number | undefined {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    if (isGrpcServiceError(inner)) return inner.code;
  }
  return undefined;
}
