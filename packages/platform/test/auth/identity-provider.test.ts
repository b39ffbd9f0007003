import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureKeys, JWKS_FILE } from "../../src/auth/keys.ts";
import { mintToken } from "../../src/auth/tokens.ts";
import { createVerifier, type Verifier } from "../../src/auth/verifier.ts";
import { createLogger } from "../../src/log.ts";

const ISSUER = "https://id.example";

const provider = createServer((_, response) => {
  response.end(JSON.stringify({ keys: [publicKey] }));
});
let folder: string;
let privateKey: CryptoKey;
let publicKey: object;
let verifier: Verifier;
let orphan: Verifier;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxoffice-idp-"));
  await ensureKeys(folder, ["catalog", "operator"]);
  const pair = await generateKeyPair("ES256");
  ({ privateKey } = pair);
  publicKey = { ...(await exportJWK(pair.publicKey)), kid: "catalog/idp", alg: "ES256" };
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const { port } = provider.address() as AddressInfo;
  verifier = verifierWith(`http://127.0.0.1:${port}/jwks`);
  orphan = verifierWith("http://127.0.0.1:1/jwks");
});

afterAll(() => {
  provider.close();
  rmSync(folder, { recursive: true });
});

function verifierWith(operatorJwksUrl: string): Verifier {
  return createVerifier({
    jwksFile: join(folder, JWKS_FILE),
    audience: "reservation",
    operatorJwksUrl,
    operatorIssuer: ISSUER,
    log: createLogger("test", "silent"),
  });
}

function sign(claims: JWTPayload = {}): Promise<string> {
  const all = { iss: ISSUER, aud: ["boxoffice", "wiki"], sub: "ada", role: "operator", ...claims };
  return new SignJWT(all)
    .setProtectedHeader({ alg: "ES256", kid: "catalog/idp" })
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(privateKey);
}

test("an identity provider vouches for operators", async () => {
  const token = await sign();
  expect(await verifier.verify(token)).toEqual({ kind: "operator", subject: "ada", token });
});

test.each<[string, JWTPayload]>([
  ["for a service, whatever its key is called", { role: "catalog", aud: ["boxoffice", "reservation"] }],
  ["for somebody without a role", { role: undefined }],
  ["with another issuer", { iss: "boxoffice" }],
  ["for another audience", { aud: "wiki" }],
])("but not %s", async (_, claims) => {
  await expect(verifier.verify(await sign(claims))).rejects.toMatchObject({
    reason: "UNAUTHENTICATED",
    message: "the token is not valid",
  });
});

test("where it does not answer, its tokens cannot be judged, and ours still can", async () => {
  await expect(orphan.verify(await sign())).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
  const privateKeyFile = join(folder, "operator.key");
  const token = await mintToken({ privateKeyFile, role: "operator", subject: "ada", ttlSeconds: 60 });
  expect(await orphan.verify(token)).toMatchObject({ kind: "operator" });
});
