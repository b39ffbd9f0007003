import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Every reason for which the box office refuses a call, with the code it travels under. This is the whole
 * table: no other error reaches a client, and `docs/frontend.md` tells what to show for each.
 */
export const REASONS = {
  INVALID_REQUEST: Code.InvalidArgument,
  REQUEST_ID_REUSED: Code.InvalidArgument,
  CURRENCY_NOT_SUPPORTED: Code.InvalidArgument,

  EVENT_NOT_FOUND: Code.NotFound,
  TICKET_TYPE_NOT_FOUND: Code.NotFound,
  RESERVATION_NOT_FOUND: Code.NotFound,
  PAYMENT_NOT_FOUND: Code.NotFound,

  SOLD_OUT: Code.FailedPrecondition,
  LIMIT_EXCEEDED: Code.FailedPrecondition,
  SALES_NOT_OPEN: Code.FailedPrecondition,
  SALES_CLOSED: Code.FailedPrecondition,
  SALES_PAUSED: Code.FailedPrecondition,
  EVENT_CANCELLED: Code.FailedPrecondition,
  EVENT_NOT_DRAFT: Code.FailedPrecondition,
  RESERVATION_EXPIRED: Code.FailedPrecondition,
  RESERVATION_EXPIRING: Code.FailedPrecondition,
  RESERVATION_CANCELLED: Code.FailedPrecondition,
  PAYMENT_IN_PROGRESS: Code.FailedPrecondition,
  CARD_DECLINED: Code.FailedPrecondition,
  PAYMENT_FAILED: Code.FailedPrecondition,
  PAYMENT_NOT_UNKNOWN: Code.FailedPrecondition,
  PAYMENT_NOT_REFUNDABLE: Code.FailedPrecondition,
  QUANTITY_BELOW_RESERVED: Code.FailedPrecondition,

  RESERVATION_ALREADY_PAID: Code.AlreadyExists,
  VERSION_CONFLICT: Code.Aborted,

  UNAUTHENTICATED: Code.Unauthenticated,
  PERMISSION_DENIED: Code.PermissionDenied,

  RATE_LIMITED: Code.ResourceExhausted,
  OVERLOADED: Code.Unavailable,
  DEPENDENCY_UNAVAILABLE: Code.Unavailable,
} as const satisfies Record<string, Code>;

export type Reason = keyof typeof REASONS;

/** `google.rpc.ErrorInfo.domain` of every error of this product. */
export const ERROR_DOMAIN = "boxoffice";

/** One field of a request that is wrong: its path as the JSON API spells it, and what is wrong with it. */
export type FieldViolation = { field: string; description: string };

export type ErrorOptions = {
  /** Facts a program can use, such as `available` or `payment_id`. Never a secret, a token or a person. */
  metadata?: Record<string, string | number>;
  /** With INVALID_REQUEST: what is wrong, field by field. */
  fields?: FieldViolation[];
  /** When trying again makes sense, in milliseconds from now. */
  retryAfterMs?: number;
  /** For logs only; never sent. */
  cause?: unknown;
};

/** The one error that business code throws. Its message is written for the person who reads the answer. */
export class BoxofficeError extends Error {
  override readonly name = "BoxofficeError";
  readonly reason: Reason;
  readonly metadata: Record<string, string>;
  readonly fields: FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, options: ErrorOptions = {}) {
    // What a client sent may be in it, or half of a character where it was cut: no header could carry that.
    super(message.toWellFormed(), { cause: options.cause });
    this.reason = reason;
    this.metadata = Object.fromEntries(
      Object.entries(options.metadata ?? {}).map(([key, value]) => [key, String(value)]),
    );
    this.fields = options.fields ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** INVALID_REQUEST for one field. `field` is the JSON path, for example `items[0].quantity`. */
export function invalidField(field: string, description: string): BoxofficeError {
  return invalidRequest([{ field, description }]);
}

/** INVALID_REQUEST for one or more fields; the message repeats them for people who read only that. */
export function invalidRequest(fields: FieldViolation[]): BoxofficeError {
  const message = fields.map(({ field, description }) => (field ? `${field}: ${description}` : description));
  return new BoxofficeError("INVALID_REQUEST", message.join("; "), { fields });
}

/**
 * The error as it goes on the wire. What is not a {@link BoxofficeError} is nobody's business outside: a
 * `ConnectError` of the RPC layer keeps its code, all else becomes "internal error" without a word of its cause.
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (!(error instanceof BoxofficeError)) {
    return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  }
  const { reason, metadata, fields, retryAfterMs } = error;
  const details: OutgoingDetail[] = [
    { desc: ErrorInfoSchema, value: { reason, domain: ERROR_DOMAIN, metadata } },
  ];
  if (fields.length > 0) details.push({ desc: BadRequestSchema, value: { fieldViolations: fields } });
  if (retryAfterMs !== undefined) {
    details.push({ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(retryAfterMs) } });
  }
  return new ConnectError(error.message, REASONS[reason], undefined, details, error);
}

/**
 * What a call to another service of ours failed with: the {@link BoxofficeError} it threw there, or the
 * error unchanged where it carries none of our reasons (a deadline, a broken connection).
 */
export function fromConnectError(error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info?.domain !== ERROR_DOMAIN || !isReason(info.reason)) return error;
  const [badRequest] = error.findDetails(BadRequestSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  return new BoxofficeError(info.reason, error.rawMessage, {
    metadata: info.metadata,
    fields: badRequest?.fieldViolations.map(({ field, description }) => ({ field, description })) ?? [],
    ...(retry?.retryDelay && { retryAfterMs: durationMs(retry.retryDelay) }),
    cause: error,
  });
}

/** Whether `error` is a refusal for one of the given reasons. */
export function isRefusal(error: unknown, ...reasons: Reason[]): error is BoxofficeError {
  return error instanceof BoxofficeError && reasons.includes(error.reason);
}

type OutgoingDetail = NonNullable<ConstructorParameters<typeof ConnectError>[3]>[number];

const isReason = (value: string): value is Reason => Object.hasOwn(REASONS, value);
