import {
  type Access,
  Caller as Allowed,
  access as accessOption,
} from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { Act } from "../audit.ts";
import { ANONYMOUS, type Caller } from "../auth/caller.ts";
import type { Verifier } from "../auth/verifier.ts";
import { BoxofficeError } from "../errors.ts";

/** Who calls, as {@link accessInterceptor} found out. */
export function callerOf(context: Pick<HandlerContext, "values">): Caller {
  return context.values.get(CALLER);
}

/**
 * An operator's act, for the audit: who calls, which method, and why.
 *
 * @param reason as the request gives it
 */
export function actOf(context: Pick<HandlerContext, "values" | "method">, reason: string): Act {
  const caller = callerOf(context);
  if (caller.kind !== "operator") throw new Error("the contract's rules let operators only through");
  return { actor: caller.subject, action: context.method.name, reason };
}

/**
 * Lets through only whom the method's `access` option allows, and tells the handler who it is. A token is
 * verified wherever one is shown, also where none is needed: an operator sees more of some answers.
 *
 * @throws BoxofficeError UNAUTHENTICATED without a good token, PERMISSION_DENIED with one of the wrong role
 */
export function accessInterceptor(verifier: Verifier): Interceptor {
  return (next) => async (request) => {
    if (isPublished(request.method)) return next(request);
    request.contextValues.set(
      CALLER,
      await admit(request.method, request.header.get("authorization"), verifier),
    );
    return next(request);
  };
}

/**
 * Who calls a method, by the `authorization` header of the call.
 *
 * @throws BoxofficeError UNAUTHENTICATED without a good token, PERMISSION_DENIED with one of the wrong role
 */
export async function admit(
  method: DescMethod,
  authorization: string | null,
  verifier: Verifier,
): Promise<Caller> {
  const token = bearerOf(authorization);
  const caller = token === undefined ? ANONYMOUS : await verifier.verify(token);
  check(accessOf(method), caller);
  return caller;
}

/**
 * Who may call a method.
 *
 * @throws when its option is missing or says nothing: a method that nobody decided about is not served
 */
export function accessOf(method: DescMethod): Access {
  const known = ACCESS.get(method);
  if (known !== undefined) return known;
  const name = `${method.parent.typeName}/${method.name}`;
  if (!hasOption(method, accessOption)) throw new Error(`${name} does not say who may call it`);
  const option = getOption(method, accessOption);
  const isService = option.caller === Allowed.SERVICE;
  if (option.caller === Allowed.UNSPECIFIED || isService !== option.services.length > 0) {
    throw new Error(`the access option of ${name} is incomplete`);
  }
  ACCESS.set(method, option);
  return option;
}

/** Health and reflection: interfaces that others published, open to everybody. */
export function isPublished(method: DescMethod): boolean {
  return method.parent.typeName.startsWith("grpc.");
}

/** Call options that forward the bearer of the one who calls us, where there is one. */
export function forwardBearer(context: Pick<HandlerContext, "requestHeader">): { headers?: HeadersInit } {
  const authorization = context.requestHeader.get("authorization");
  return authorization === null ? {} : { headers: { authorization } };
}

const CALLER = createContextKey<Caller>(ANONYMOUS, { description: "caller" });

/** Reading an option parses it, so it is read once per method. */
const ACCESS = new WeakMap<DescMethod, Access>();

function check(access: Access, caller: Caller): void {
  if (access.caller === Allowed.ANYONE || isAllowed(access, caller)) return;
  if (caller.kind === "anonymous") throw new BoxofficeError("UNAUTHENTICATED", "a bearer token is needed");
  throw new BoxofficeError("PERMISSION_DENIED", "the token's role may not do this");
}

function isAllowed({ caller: allowed, services }: Access, caller: Caller): boolean {
  if (caller.kind === "operator") return allowed === Allowed.OPERATOR;
  return caller.kind === "service" && allowed === Allowed.SERVICE && services.includes(caller.service);
}

function bearerOf(authorization: string | null): string | undefined {
  if (authorization === null) return undefined;
  const [, token] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
  if (token === undefined)
    throw new BoxofficeError("UNAUTHENTICATED", "the authorization is no bearer token");
  return token;
}
