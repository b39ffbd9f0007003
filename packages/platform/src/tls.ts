import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { type ChannelCredentials, credentials, experimental, ServerCredentials } from "@grpc/grpc-js";
import { ConfigError, setting } from "./config.ts";
import { versionOf } from "./followed-file.ts";
import type { Logger } from "./log.ts";

/** How processes recognise each other and keep others from listening. All unset: neither. */
export const tlsSettings = {
  TLS_CERT_FILE: setting.text().optional(),
  TLS_KEY_FILE: setting.text().optional(),
  TLS_CA_FILE: setting.text().optional(),
  TLS_CLIENTS: setting.oneOf(["any", "verified"], "any"),
};

export type TlsSettings = {
  /** This process's certificate, with those between it and the authority, in PEM. */
  TLS_CERT_FILE?: string | undefined;
  TLS_KEY_FILE?: string | undefined;
  /** Those who vouch for the certificates of the others, in PEM. */
  TLS_CA_FILE?: string | undefined;
  /** Whether callers must show a certificate too. */
  TLS_CLIENTS: "any" | "verified";
};

/** What a process listens with, and calls others with. */
export type Tls = {
  server: ServerCredentials;
  channel: ChannelCredentials;
};

export const NO_TLS: Tls = {
  server: ServerCredentials.createInsecure(),
  channel: credentials.createInsecure(),
};

/** How often the files are looked at, in milliseconds: certificates are renewed hours before they end. */
const LOOK_EVERY_MS = 2_000;

/**
 * TLS by settings: with a certificate a process listens with TLS, and with an authority it calls with TLS. The files
 * are followed: new connections use what is in them.
 *
 * @throws ConfigError where settings or files do not fit together
 */
export function openTls(settings: TlsSettings, log: Logger): Tls {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca, TLS_CLIENTS } = settings;
  if ((cert === undefined) !== (key === undefined))
    throw new ConfigError("TLS_CERT_FILE and TLS_KEY_FILE are set together");
  const areVerified = TLS_CLIENTS === "verified";
  if (areVerified && (ca === undefined || cert === undefined))
    throw new ConfigError("TLS_CLIENTS is verified: that takes TLS_CA_FILE, TLS_CERT_FILE and TLS_KEY_FILE");
  if (cert === undefined && ca === undefined) return NO_TLS;
  const files = new TlsFiles({ cert, key, ca }, log);
  const { createCertificateProviderServerCredentials, createCertificateProviderChannelCredentials } =
    experimental;
  const clients = areVerified ? files : null;
  return {
    // The first argument is the server's own certificate, whatever its declaration calls it.
    server:
      cert === undefined
        ? NO_TLS.server
        : createCertificateProviderServerCredentials(files, clients, areVerified),
    channel:
      ca === undefined
        ? NO_TLS.channel
        : createCertificateProviderChannelCredentials(files, cert === undefined ? null : files),
  };
}

type Files = { cert: string | undefined; key: string | undefined; ca: string | undefined };
type Content = { cert: Buffer | undefined; key: Buffer | undefined; ca: Buffer | undefined };

type CaListener = Parameters<experimental.CertificateProvider["addCaCertificateListener"]>[0];
type IdentityListener = Parameters<experimental.CertificateProvider["addIdentityCertificateListener"]>[0];

/**
 * Certificates and keys in files. grpc-js has such a provider of its own, which does not tell a half-written file, or
 * a certificate whose key is still the old one, from a good pair, and would stop listening until the next look.
 */
class TlsFiles implements experimental.CertificateProvider {
  readonly #files: Files;
  readonly #log: Logger;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #version: string;
  #content: Content;

  constructor(files: Files, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#version = this.#versions();
    try {
      this.#content = read(files);
    } catch (cause) {
      const { message } = cause as Error;
      throw new ConfigError(`TLS_CERT_FILE, TLS_KEY_FILE or TLS_CA_FILE cannot be used: ${message}`, {
        cause,
      });
    }
    setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    process.nextTick(() => this.#tellCa(listener));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => this.#tellIdentity(listener)); // not before the server listens to whom it is told
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #look(): void {
    const now = this.#versions();
    if (now === this.#version) return;
    try {
      this.#content = read(this.#files);
    } catch (error) {
      // Looked at again: it may be one of several files that are being replaced.
      this.#log.warn({ error }, "the TLS files do not fit together; the old ones stay in use");
      return;
    }
    this.#version = now;
    for (const listener of this.#caListeners) this.#tellCa(listener);
    for (const listener of this.#identityListeners) this.#tellIdentity(listener);
    this.#log.info("the TLS files were read again");
  }

  #tellCa(listener: CaListener): void {
    const { ca } = this.#content;
    listener(ca === undefined ? null : { caCertificate: ca });
  }

  #tellIdentity(listener: IdentityListener): void {
    const { cert, key } = this.#content;
    listener(cert === undefined || key === undefined ? null : { certificate: cert, privateKey: key });
  }

  #versions(): string {
    return Object.values(this.#files)
      .map((file) => file && versionOf(file))
      .join(",");
  }
}

/** @throws where a file is missing, is no PEM, or the key is not the certificate's */
function read({ cert, key, ca }: Files): Content {
  const content: Content = {
    cert: cert === undefined ? undefined : readFileSync(cert),
    key: key === undefined ? undefined : readFileSync(key),
    ca: ca === undefined ? undefined : readFileSync(ca),
  };
  createSecureContext(content);
  return content;
}
