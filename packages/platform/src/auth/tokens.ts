import { createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { exportJWK, importPKCS8, SignJWT } from "jose";
import { keyId } from "./keys.ts";

/** Who issues the tokens of the box office, and the audience of an operator's. */
export const ISSUER = "boxoffice";

export type MintOptions = {
  /** The role's private key, PKCS #8 PEM. */
  privateKeyFile: string;
  /** The role that the key vouches for: "operator", or a service's name. */
  role: string;
  /** Who holds the token; for an operator, the actor that an audit names. */
  subject: string;
  ttlSeconds: number;
  /** The called service's name, or, for an operator, the box office as a whole, which is the default. */
  audience?: string;
};

/** A signed JWT (EdDSA) that proves its role until it expires. */
export async function mintToken(options: MintOptions): Promise<string> {
  const { privateKeyFile, role, subject, ttlSeconds, audience = ISSUER } = options;
  const pem = await readFile(privateKeyFile, "utf8");
  return new SignJWT({ role })
    .setProtectedHeader({ alg: "EdDSA", kid: await keyId(role, await exportJWK(createPublicKey(pem))) })
    .setIssuer(ISSUER)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${ttlSeconds} seconds`)
    .sign(await importPKCS8(pem, "EdDSA"));
}
