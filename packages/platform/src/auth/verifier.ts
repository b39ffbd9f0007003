import type { KeyObject } from "node:crypto";
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { LRUCache } from "lru-cache";
import { setting } from "../config.ts";
import { BoxofficeError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Operator, Service } from "./caller.ts";
import { openKeyFile } from "./key-file.ts";
import { roleOfKey } from "./keys.ts";
import { ISSUER, OPERATOR_AUDIENCE, OPERATOR_ROLE } from "./tokens.ts";

/** An identity provider whose tokens count for operators, where there is one. */
export const identityProviderSettings = {
  OPERATOR_JWKS_URL: setting.url("https:", "http:").optional(),
  OPERATOR_ISSUER: setting.text().optional(),
};

export type VerifierOptions = {
  /** Everybody's public keys; changes are followed. */
  jwksFile: string;
  /** This service's name: the `aud` of the tokens with which other services call it. */
  audience: string;
  log: Logger;
  /** Keys of an identity provider. They vouch for operators only. */
  operatorJwksUrl?: string | undefined;
  /** `iss` of the identity provider's tokens. */
  operatorIssuer?: string | undefined;
};

export type Verifier = {
  /**
   * Who holds this token.
   *
   * @throws BoxofficeError UNAUTHENTICATED, which tells "expired" from "not valid" and no more, and
   *   DEPENDENCY_UNAVAILABLE when the identity provider's keys cannot be had
   */
  verify(token: string): Promise<Operator | Service>;
};

const MAX_TOKEN_LENGTH = 8 * 1024;
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_CACHED_TOKENS = 1000;

/** How long an identity provider's keys, and a token signed by one, are taken to be good, in milliseconds. */
const REMOTE_KEYS_MAX_AGE_MS = 60_000;

/** What identity providers sign with. Our own keys sign with Ed25519 only. */
const REMOTE_ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256", "PS256"];

/**
 * Verifies bearer tokens. A token of ours counts only for the role in the id of the key that signed it, so that
 * a service's key cannot mint an operator's token. What was verified is remembered until it expires or the
 * keys change.
 *
 * @throws when the JWKS file cannot be read
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const keyFile = openKeyFile(options.jwksFile, options.log);
  const remote = options.operatorJwksUrl === undefined ? undefined : remoteKeys(options.operatorJwksUrl);
  const verified = new LRUCache<string, Verified>({ max: MAX_CACHED_TOKENS });
  let keys = keyFile.value;

  async function check(token: string): Promise<Claims> {
    const kid = keyIdOf(token);
    const key = keys.get(kid);
    if (key !== undefined) return checkOwn(token, roleOfKey(kid), key);
    if (remote !== undefined) return checkRemote(token, remote);
    throw refusal(new Error("no key has the id that the token names"));
  }

  async function checkOwn(token: string, role: string, key: KeyObject): Promise<Claims> {
    try {
      const { payload } = await jwtVerify(token, key, {
        ...COMMON_CHECKS,
        algorithms: ["EdDSA"],
        issuer: ISSUER,
        audience: [OPERATOR_AUDIENCE, options.audience],
      });
      if (payload.role !== role) throw new Error("the key is another role's");
      return claimsOf(payload);
    } catch (error) {
      throw refusal(error);
    }
  }

  async function checkRemote(token: string, getKey: ReturnType<typeof remoteKeys>): Promise<Claims> {
    try {
      const { payload } = await jwtVerify(token, getKey, {
        ...COMMON_CHECKS,
        algorithms: REMOTE_ALGORITHMS,
        issuer: options.operatorIssuer ?? ISSUER,
        audience: OPERATOR_AUDIENCE,
      });
      if (payload.role !== OPERATOR_ROLE) throw new Error("not an operator's token");
      const { expiresAtMs, ...claims } = claimsOf(payload);
      return { ...claims, expiresAtMs: Math.min(expiresAtMs, Date.now() + REMOTE_KEYS_MAX_AGE_MS) };
    } catch (error) {
      throw isUnreachable(error) ? unverifiable(error) : refusal(error);
    }
  }

  function forgetWhenKeysChanged(): void {
    keyFile.refresh();
    if (keys === keyFile.value) return;
    keys = keyFile.value;
    verified.clear();
  }

  return {
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) throw refusal(new Error("the token is too long"));
      forgetWhenKeysChanged();
      const known = verified.get(token);
      if (known !== undefined && Date.now() < known.untilMs) return known.caller;
      const keysUsed = keys;
      const claims = await check(token);
      const caller = callerOf(claims, token, options.audience);
      const untilMs = claims.expiresAtMs + CLOCK_TOLERANCE_SECONDS * 1000;
      if (keysUsed === keys) verified.set(token, { caller, untilMs });
      return caller;
    },
  };
}

type Verified = { caller: Operator | Service; untilMs: number };

type Claims = { role: string; subject: string; audience: string[]; expiresAtMs: number };

const COMMON_CHECKS = {
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  requiredClaims: ["sub", "exp", "iat"],
} as const satisfies JWTVerifyOptions;

function remoteKeys(url: string) {
  return createRemoteJWKSet(new URL(url), { cacheMaxAge: REMOTE_KEYS_MAX_AGE_MS });
}

/** What the token says of its key. It is believed only once the signature was verified. */
function keyIdOf(token: string): string {
  try {
    return decodeProtectedHeader(token).kid ?? "";
  } catch (error) {
    throw refusal(error);
  }
}

function claimsOf({ role, sub, aud, exp }: JWTPayload): Claims {
  if (typeof role !== "string" || !sub || aud === undefined || exp === undefined) {
    throw new Error("a claim is missing");
  }
  return { role, subject: sub, audience: [aud].flat(), expiresAtMs: exp * 1000 };
}

/** An operator's token is meant for the whole box office, a service's for the one service that it calls. */
function callerOf({ role, subject, audience }: Claims, token: string, service: string): Operator | Service {
  const meant = role === OPERATOR_ROLE ? OPERATOR_AUDIENCE : service;
  if (!audience.includes(meant)) throw refusal(new Error("the token is meant for somebody else"));
  return role === OPERATOR_ROLE ? { kind: "operator", subject, token } : { kind: "service", service: role };
}

/** Why a token was refused stays inside: an answer that told would help whoever forges one. */
function refusal(cause: unknown): BoxofficeError {
  const message = cause instanceof errors.JWTExpired ? "the token has expired" : "the token is not valid";
  return new BoxofficeError("UNAUTHENTICATED", message, { cause });
}

function unverifiable(cause: unknown): BoxofficeError {
  const message = "the token cannot be verified at the moment";
  return new BoxofficeError("DEPENDENCY_UNAVAILABLE", message, { retryAfterMs: 1000, cause });
}

/** The identity provider did not answer, or not with keys. `fetch` reports what it cannot reach as a TypeError. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  return error instanceof errors.JOSEError
    ? error.code === errors.JOSEError.code
    : error instanceof TypeError;
}
