import "reflect-metadata"; // what makes the certificates asks for it
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Vouches for certificates, as an operator's own authority does. */
export class Authority {
  /** In PEM. */
  readonly file: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #keys: CryptoKeyPair;

  private constructor(folder: string, name: string, keys: CryptoKeyPair) {
    this.file = join(folder, `${name}.ca.pem`);
    this.#folder = folder;
    this.#name = name;
    this.#keys = keys;
  }

  static async make(folder: string, name: string): Promise<Authority> {
    const keys = await newKeys();
    const authority = new Authority(folder, name, keys);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHM,
      ...validity(),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    });
    writeFileSync(authority.file, certificate.toString("pem"));
    return authority;
  }

  /** Writes a certificate for this machine, and its key, each to a file. The same name replaces them. */
  async issue(name: string): Promise<{ cert: string; key: string }> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: `CN=${this.#name}`,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(),
      extensions: [
        new SubjectAlternativeNameExtension([
          { type: "ip", value: "127.0.0.1" },
          { type: "dns", value: "localhost" },
        ]),
      ],
    });
    const files = { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}.key.pem`) };
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    writeFileSync(files.cert, certificate.toString("pem"));
    writeFileSync(files.key, PemConverter.encode(pkcs8, "PRIVATE KEY"), { mode: 0o600 });
    return files;
  }
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

const validity = () => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + DAY_MS),
});
