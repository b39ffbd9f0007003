import { createHmac, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTokenIssuer } from "@boxoffice/platform/auth/tokens.ts";

/** Somebody with something to show, or nothing. */
export type Credential = {
  name: string;
  /** What they are good for at a service, if anything. */
  role: "operator" | "catalog" | "reservation" | "payment" | "stats" | "gateway" | "none" | "bad";
  /** The token for calls of this service. */
  tokenFor(service: string): Promise<string | undefined>;
};

const SERVICES = ["catalog", "reservation", "payment", "stats", "gateway"] as const;

/** Everybody who could knock: with no token, with each good kind, and with tokens that are wrong in one way each. */
export async function credentials(keysFolder: string): Promise<Credential[]> {
  const issuer = (role: string) => createTokenIssuer({ role, keyFile: join(keysFolder, `${role}.key`) });
  const mint = (role: string, audience: string, ttlSeconds = 600) =>
    issuer(role).mint({ subject: role, audience, ttlSeconds });
  const operator = await mint("operator", "boxoffice");
  const forge = (kid: string, alg: string, sign: (input: Buffer) => Buffer) => async () => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const claims = {
      role: "operator",
      iss: "boxoffice",
      aud: "boxoffice",
      sub: "mallory",
      iat: exp - 600,
      exp,
    };
    const input = [{ alg, kid }, claims].map((part) => encode(JSON.stringify(part))).join(".");
    return `${input}.${sign(Buffer.from(input)).toString("base64url")}`;
  };
  const kid = keyIdOf(operator);
  const catalogKid = keyIdOf(await mint("catalog", "x"));
  const catalogKey = createPrivateKey(readFileSync(join(keysFolder, "catalog.key")));
  const strangersKey = generateKeyPairSync("ed25519").privateKey;
  const publicKey = readFileSync(join(keysFolder, "jwks.json"));
  const bad = (name: string, token: (service: string) => Promise<string>): Credential => ({
    name,
    role: "bad",
    tokenFor: token,
  });
  return [
    { name: "nobody", role: "none", tokenFor: async () => undefined },
    { name: "an operator", role: "operator", tokenFor: async () => operator },
    ...SERVICES.map((role): Credential => ({ name: role, role, tokenFor: (service) => mint(role, service) })),
    bad("an operator whose token has expired", () => mint("operator", "boxoffice", -60)),
    bad("a service whose token has expired", (service) => mint("catalog", service, -60)),
    bad(
      "a stranger's key under the operators' name",
      forge(kid, "EdDSA", (input) => sign(null, input, strangersKey)),
    ),
    bad(
      "a service's key that signs for an operator",
      forge(catalogKid, "EdDSA", (input) => sign(null, input, catalogKey)),
    ),
    bad("an operator's token for somebody else", () => mint("operator", "another-product")),
    bad("a service's token for another service", (service) =>
      mint("payment", service === "stats" ? "catalog" : "stats"),
    ),
    bad(
      "no signature (alg: none)",
      forge(kid, "none", () => Buffer.alloc(0)),
    ),
    bad(
      "a signature by what is public (alg: HS256)",
      forge(kid, "HS256", (input) => createHmac("sha256", publicKey).update(input).digest()),
    ),
    bad("no token at all behind Bearer", async () => "nonsense"),
  ];
}

const encode = (text: string): string => Buffer.from(text).toString("base64url");

function keyIdOf(token: string): string {
  const [header = ""] = token.split(".");
  return JSON.parse(Buffer.from(header, "base64url").toString()).kid;
}
