/**
 * SottoError over gRPC: the status code is what other tools see, the metadata key carries our own code.
 *
 * @module
 */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { SottoError, type SottoErrorCode } from '@sotto/core/errors';

const codeKey = 'sotto-code';

const statusOf: { readonly [code in SottoErrorCode]: status } = {
  'invalid-argument': status.INVALID_ARGUMENT,
  'invalid-config': status.FAILED_PRECONDITION,
  'invalid-encoding': status.INVALID_ARGUMENT,
  unsupported: status.UNIMPLEMENTED,
  'not-found': status.NOT_FOUND,
  unavailable: status.UNAVAILABLE,
  'deadline-exceeded': status.DEADLINE_EXCEEDED,
  'permission-denied': status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  'budget-exhausted': status.FAILED_PRECONDITION,
  'protocol-violation': status.FAILED_PRECONDITION,
  'protocol-aborted': status.ABORTED,
  integrity: status.DATA_LOSS,
  conflict: status.ALREADY_EXISTS,
  numeric: status.INTERNAL,
  cancelled: status.CANCELLED,
  internal: status.INTERNAL,
};

const codeOf: ReadonlyMap<number, SottoErrorCode> = new Map<number, SottoErrorCode>([
  [status.INVALID_ARGUMENT, 'invalid-argument'],
  [status.NOT_FOUND, 'not-found'],
  [status.UNAVAILABLE, 'unavailable'],
  [status.DEADLINE_EXCEEDED, 'deadline-exceeded'],
  [status.PERMISSION_DENIED, 'permission-denied'],
  [status.UNAUTHENTICATED, 'unauthenticated'],
  [status.ABORTED, 'protocol-aborted'],
  [status.CANCELLED, 'cancelled'],
  [status.UNIMPLEMENTED, 'unsupported'],
  [status.RESOURCE_EXHAUSTED, 'invalid-argument'],
]);

/** What a server answers for an error. A defect is answered without its message, which may hold anything. */
export function toStatus(reason: unknown): { readonly code: status; readonly details: string; readonly metadata: Metadata } {
  const known = reason instanceof SottoError && reason.code !== 'internal';
  const error = known ? reason : new SottoError('internal', 'the service failed; its log says why');
  const metadata = new Metadata();
  metadata.set(codeKey, error.code);
  return { code: statusOf[error.code], details: error.message, metadata };
}

/** The error that a client throws for a failed call. */
export function fromStatus(error: ServiceError, method: string): SottoError {
  const own = error.metadata?.get(codeKey)[0];
  const code = typeof own === 'string' && own in statusOf ? (own as SottoErrorCode) : (codeOf.get(error.code) ?? 'internal');
  const message = typeof own === 'string' ? error.details : `${method.slice(method.lastIndexOf('/') + 1)}: ${error.details}`;
  return new SottoError(code, message, { cause: error, details: { answered: typeof own === 'string' } });
}
