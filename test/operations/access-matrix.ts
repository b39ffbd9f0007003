import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Rule } from "./access-rules.ts";
import type { Credential } from "./credentials.ts";

/** How a door treats a caller: it asks who they are, turns them away, lets them in, or knows nothing of the method. */
export type Verdict = "UNAUTHENTICATED" | "PERMISSION_DENIED" | "let in" | "unknown";

/** What a service must do: a bad token is refused even where none is needed. */
export function expectedAtService(rule: Rule, { role }: Credential): Verdict {
  if (role === "bad") return "UNAUTHENTICATED";
  if (rule === "anyone") return "let in";
  if (role === "none") return "UNAUTHENTICATED";
  const isAllowed = rule === "operator" ? role === "operator" : rule.includes(role);
  return isAllowed ? "let in" : "PERMISSION_DENIED";
}

/** What the gateway must do: the same, but for what is only for services, which it does not know. */
export const expectedAtGateway = (rule: Rule, credential: Credential): Verdict =>
  Array.isArray(rule) ? "unknown" : expectedAtService(rule, credential);

const CALL_LIMIT_MS = 20_000;

/** Calls a method with an empty message, which no act accepts, so that nothing happens where the caller is let in. */
export async function verdictOf(
  transport: Transport,
  method: DescMethod,
  token: string | undefined,
): Promise<Verdict> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const stop = new AbortController();
  try {
    if (method.methodKind === "unary") {
      await transport.unary(
        method as DescMethodUnary,
        stop.signal,
        CALL_LIMIT_MS,
        headers,
        create(method.input),
      );
    } else {
      const response = await transport.stream(
        method as DescMethodStreaming,
        stop.signal,
        CALL_LIMIT_MS,
        headers,
        only(create(method.input)),
      );
      for await (const _ of response.message) break;
    }
    return "let in";
  } catch (error) {
    return verdictOfError(error);
  } finally {
    stop.abort();
  }
}

function verdictOfError(error: unknown): Verdict {
  const { reason } = error as Partial<BoxofficeError>;
  if (reason === "UNAUTHENTICATED" || reason === "PERMISSION_DENIED") return reason;
  if (error instanceof BoxofficeError) return "let in";
  if (!(error instanceof ConnectError)) throw error;
  switch (error.code) {
    case Code.Unauthenticated:
      return "UNAUTHENTICATED";
    case Code.PermissionDenied:
      return "PERMISSION_DENIED";
    case Code.Unimplemented:
      return "unknown";
    case Code.Internal:
    case Code.Unknown:
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      throw error; // says nothing of who may call
    default:
      return "let in";
  }
}

async function* only(message: Message) {
  yield message;
}
