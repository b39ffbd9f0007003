import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { ConfigError } from "@boxoffice/platform/config.ts";
import type { Logger } from "@boxoffice/platform/log.ts";

export type CertificateFiles = { cert: Buffer; key: Buffer };

/** The certificate that the gateway shows to browsers. */
export type Certificate = {
  readonly files: CertificateFiles;
  /** Calls back whenever a new one is in the files. */
  onRenewed(use: (files: CertificateFiles) => void): void;
};

/** Certificates are renewed days before they end. */
const LOOK_EVERY_MS = 10_000;

/**
 * Reads a certificate, with those between it and its authority, and its key, both in PEM, and follows the files.
 *
 * @returns undefined where neither is named
 * @throws ConfigError where only one is, or they cannot be used
 */
export function openCertificate(
  certFile: string | undefined,
  keyFile: string | undefined,
  log: Logger,
): Certificate | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigError("GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE are set together");
  }
  const read = (): CertificateFiles => {
    const files = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    createSecureContext(files);
    return files;
  };
  try {
    const files = read();
    return { files, onRenewed: (use) => follow([certFile, keyFile], () => use(read()), log) };
  } catch (cause) {
    throw new ConfigError(
      "GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE do not hold a certificate and its key",
      {
        cause,
      },
    );
  }
}

function follow(files: readonly string[], use: () => void, log: Logger): void {
  const version = () => files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs).join();
  let used = version();
  const look = () => {
    const now = version();
    if (now === used) return;
    try {
      use();
      used = now;
      log.info("the certificate was renewed");
    } catch (error) {
      log.warn({ error }, "the new certificate and its key do not fit; the old one stays in use");
    }
  };
  setInterval(look, LOOK_EVERY_MS).unref();
}
