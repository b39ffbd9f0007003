import { SignJWT } from "jose";
import { v4 as uuidv4 } from "uuid";
import { followFile } from "../followed-file.ts";
import type { Logger } from "../log.ts";
import { parsePrivateKey, publicJwk } from "./keys.ts";

/** `iss` of every token that a key of ours signs. */
export const ISSUER = "boxoffice";

/** `aud` of operators' tokens: every service takes them. A service's token names the one service it calls. */
export const OPERATOR_AUDIENCE = "boxoffice";

export const OPERATOR_ROLE = "operator";

/**
 * How long a service's own token is good for, and how long before that it is replaced, in seconds. What is left is far
 * more than two hosts' clocks may differ by: a host whose clock was ten minutes slow would show tokens of five minutes
 * that nobody takes, and one whose clock was fast would take nobody's. Who retires a key ends all its tokens at once.
 */
const SERVICE_TTL_SECONDS = 60 * 60;
const SERVICE_RENEW_SECONDS = 30 * 60;

export type MintOptions = {
  /** Who the caller is: `sub`, the actor of the audit. */
  subject: string;
  /** {@link OPERATOR_AUDIENCE}, or the name of the service to call. */
  audience: string;
  ttlSeconds: number;
};

/** Mints tokens for one role, with that role's private key. */
export type TokenIssuer = {
  readonly role: string;
  /** Another one after the private key has changed: tokens that were minted before should be replaced. */
  readonly keyVersion: object;
  mint(options: MintOptions): Promise<string>;
};

/**
 * Mints with the private key of `role`, as it is in its file at the time.
 *
 * @throws when the file cannot be read at first, or holds no Ed25519 key; the error names the file
 */
export function createTokenIssuer({ role, keyFile, log }: IssuerOptions): TokenIssuer {
  const parse = (pem: string) => {
    const key = parsePrivateKey(pem, keyFile);
    return { key, jwk: publicJwk(role, key) };
  };
  const followed = followFile({ file: keyFile, parse, what: "the private key", log });
  return {
    role,
    get keyVersion() {
      followed.refresh();
      return followed.value;
    },
    async mint({ subject, audience, ttlSeconds }) {
      followed.refresh();
      const { key, jwk } = followed.value;
      const { kid } = await jwk;
      const nowSeconds = Math.floor(Date.now() / 1000);
      return new SignJWT({ role })
        .setProtectedHeader({ alg: "EdDSA", kid })
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + ttlSeconds)
        .setJti(uuidv4())
        .sign(key);
    },
  };
}

export type IssuerOptions = { role: string; keyFile: string; log?: Logger };

/** One token, for a person's command line. The audience is the operators' unless another is named. */
export function mintToken(options: {
  privateKeyFile: string;
  role: string;
  subject: string;
  ttlSeconds: number;
  audience?: string;
}): Promise<string> {
  const { privateKeyFile, role, audience = OPERATOR_AUDIENCE, ...rest } = options;
  return createTokenIssuer({ role, keyFile: privateKeyFile }).mint({ ...rest, audience });
}

/**
 * A function that gives the token with which a service calls `audience`; a new one is minted before it expires, and
 * when the key has changed.
 */
export function serviceBearer(issuer: TokenIssuer, audience: string): () => Promise<string> {
  let token: Promise<string> | undefined;
  let renewAtMs = 0;
  let keyVersion: object | undefined;
  return () => {
    if (token === undefined || Date.now() >= renewAtMs || keyVersion !== issuer.keyVersion) {
      ({ keyVersion } = issuer);
      renewAtMs = Date.now() + (SERVICE_TTL_SECONDS - SERVICE_RENEW_SECONDS) * 1000;
      token = issuer.mint({ subject: issuer.role, audience, ttlSeconds: SERVICE_TTL_SECONDS });
    }
    return token;
  };
}
