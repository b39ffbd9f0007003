import { BoxofficeError, isRefusal } from "@boxoffice/platform/errors.ts";
import { Code, ConnectError } from "@connectrpc/connect";

/** How a command ends. */
export const EXIT = {
  done: 0,
  /** Wrong arguments, or the box office refused: the same again would fail again. */
  refused: 1,
  /** The box office answered, and what it answered is not as it should be. */
  wrong: 2,
  /** Nobody answered: nothing is known of the act, which may be repeated. */
  unanswered: 3,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** What a failed command says, and how it ends. */
export type Failure = { message: string; reason?: string; metadata?: Record<string, string>; exit: Exit };

export function toFailure(error: unknown): Failure {
  if (error instanceof BoxofficeError) {
    const { reason, message, metadata } = error;
    const isRetryable = isRefusal(error, "DEPENDENCY_UNAVAILABLE", "OVERLOADED", "RATE_LIMITED");
    return { message, reason, metadata, exit: isRetryable ? EXIT.unanswered : EXIT.refused };
  }
  if (error instanceof ConnectError) {
    const isOpen = [Code.DeadlineExceeded, Code.Unavailable, Code.Canceled].includes(error.code);
    return {
      message: error.rawMessage,
      reason: Code[error.code],
      exit: isOpen ? EXIT.unanswered : EXIT.refused,
    };
  }
  return { message: error instanceof Error ? error.message : String(error), exit: EXIT.refused };
}

/** For people: the reason first, which is what to search for, then the sentence, then the facts. */
export function describeFailure({ message, reason, metadata = {}, exit }: Failure): string {
  const facts = Object.entries(metadata).map(([key, value]) => `${key}: ${value}`);
  const said = [reason && `${reason}:`, message, facts.length > 0 && `(${facts.join(", ")})`];
  const hints = [reason && HINTS[reason], exit === EXIT.unanswered && "Trying again is safe."];
  return [said, hints]
    .map((words) => words.filter(Boolean).join(" "))
    .filter(Boolean)
    .join("\n");
}

const HINTS: Record<string, string> = {
  UNAUTHENTICATED:
    "BOXOFFICE_TOKEN or the key in BOXOFFICE_DATA is not one that this box office takes; `npm run token` makes tokens.",
  DEPENDENCY_UNAVAILABLE: "Is the box office running, and do <SERVICE>_ADDRESS or <SERVICE>_PORT say where?",
};
