import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Caller } from "../../src/auth/caller.ts";
import { ensureKeys, JWKS_FILE, parsePrivateKey, publicJwk } from "../../src/auth/keys.ts";
import { createTokenIssuer, mintToken, serviceBearer } from "../../src/auth/tokens.ts";
import { createVerifier, type Verifier } from "../../src/auth/verifier.ts";
import { createLogger } from "../../src/log.ts";

let folder: string;
let verifier: Verifier;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "boxoffice-verifier-"));
  await ensureKeys(folder, ["operator", "payment"]);
  verifier = createVerifier({
    jwksFile: join(folder, JWKS_FILE),
    audience: "reservation",
    log: createLogger("test", "silent"),
  });
});

afterEach(() => rm(folder, { recursive: true }));

const keyFile = (role: string) => join(folder, `${role}.key`);

const mint = (role: string, audience: string) =>
  mintToken({ privateKeyFile: keyFile(role), role, subject: "ada", ttlSeconds: 60, audience });

/** A token as a forger would make it: any claims, signed with whichever key is at hand. */
async function forge(signer: string, claims: JWTPayload, kidRole = signer): Promise<string> {
  const key = parsePrivateKey(await readFile(keyFile(signer), "utf8"), signer);
  const { kid } = await publicJwk(kidRole, key);
  return new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", kid }).sign(key);
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

const operatorClaims = (): JWTPayload => ({
  iss: "boxoffice",
  aud: "boxoffice",
  sub: "mallory",
  role: "operator",
  iat: nowSeconds(),
  exp: nowSeconds() + 60,
});

test("a service is let in though its host's clock is ten minutes slow or fast, or jumps by them", async () => {
  const MINUTE_MS = 60_000;
  const trueMs = Date.now();
  const at = (minutes: number) => vi.setSystemTime(trueMs + minutes * MINUTE_MS);
  const service: Caller = { kind: "service", service: "payment" };
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    for (const slow of [-10, 10]) {
      const issuer = createTokenIssuer({ role: "payment", keyFile: keyFile("payment") });
      const bearer = serviceBearer(issuer, "reservation");
      at(-slow); // the clock is right at first, or wrong the other way, and jumps
      await bearer();
      for (let minutes = 0; minutes < 90; minutes += 5) {
        at(minutes + slow);
        const token = await bearer();
        at(minutes);
        expect(await verifier.verify(token)).toEqual(service);
      }
    }
  } finally {
    vi.useRealTimers();
  }
});

test("an operator is known by name, and a service by its key", async () => {
  const token = await mint("operator", "boxoffice");
  const operator: Caller = { kind: "operator", subject: "ada", token };
  expect(await verifier.verify(token)).toEqual(operator);
  const bearer = serviceBearer(
    createTokenIssuer({ role: "payment", keyFile: keyFile("payment") }),
    "reservation",
  );
  const service: Caller = { kind: "service", service: "payment" };
  expect(await verifier.verify(await bearer())).toEqual(service);
  expect(await bearer()).toBe(await bearer());
});

describe("refuses", () => {
  const forgeries: [string, () => Promise<string> | string, string][] = [
    ["what is no token", () => "not.a.token", "not valid"],
    ["a token of 9 KiB", () => "x".repeat(9 * 1024), "not valid"],
    ["a service's token for another service", () => mint("payment", "stats"), "not valid"],
    ["a service's token for the whole box office", () => mint("payment", "boxoffice"), "not valid"],
    ["an operator's token for one service", () => mint("operator", "reservation"), "not valid"],
    ["an operator's role by a service's key", () => forge("payment", operatorClaims()), "not valid"],
    [
      "a service's key under an operator's id",
      () => forge("payment", operatorClaims(), "operator"),
      "not valid",
    ],
    ["an expired token", () => forge("operator", { ...operatorClaims(), exp: nowSeconds() - 60 }), "expired"],
    ["another issuer", () => forge("operator", { ...operatorClaims(), iss: "somebody" }), "not valid"],
    ["a token without an end", () => forge("operator", without("exp")), "not valid"],
    ["a token without a subject", () => forge("operator", without("sub")), "not valid"],
    ["no signature", () => new UnsecuredJWT(operatorClaims()).encode(), "not valid"],
    ["a stranger's key", strangersToken, "not valid"],
  ];

  test.each(forgeries)("%s", async (_, token, message) => {
    await expect(verifier.verify(await token())).rejects.toMatchObject({
      reason: "UNAUTHENTICATED",
      message: `the token ${message === "expired" ? "has expired" : "is not valid"}`,
    });
  });

  function without(claim: "exp" | "sub"): JWTPayload {
    const { [claim]: _, ...rest } = operatorClaims();
    return rest;
  }

  function strangersToken(): Promise<string> {
    const { privateKey } = generateKeyPairSync("ed25519");
    return new SignJWT(operatorClaims())
      .setProtectedHeader({ alg: "EdDSA", kid: "operator/stranger" })
      .sign(privateKey);
  }
});

test("a key taken out of the file stops counting within seconds, also for tokens seen before", async () => {
  const token = await mint("operator", "boxoffice");
  await verifier.verify(token);
  const file = join(folder, JWKS_FILE);
  const { keys } = JSON.parse(await readFile(file, "utf8")) as { keys: { kid: string }[] };
  await writeFile(file, JSON.stringify({ keys: keys.filter(({ kid }) => !kid.startsWith("operator/")) }));
  await expect
    .poll(() => verifier.verify(token).catch(({ reason }) => reason), { timeout: 5_000 })
    .toBe("UNAUTHENTICATED");
  await writeFile(file, "{ torn");
  expect(await verifier.verify(await mint("payment", "reservation"))).toMatchObject({ kind: "service" });
});
