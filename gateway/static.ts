import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { ConfigError } from "@boxoffice/platform/config.ts";
import { chooseEncoding, type Encoding, matchesEtag } from "./content-coding.ts";
import type { Exchange, FlatHeaders } from "./exchange.ts";

/** The built pages of a folder, held in memory. */
export type StaticFiles = {
  /** Answers a GET or HEAD of a file, or of a page of the application. @returns false where there is neither */
  answer(exchange: Exchange): boolean;
};

/** A build is a few hundred kilobytes; much more is a wrong folder. */
const MAX_TOTAL_BYTES = 32 * 1024 * 1024;

/**
 * The best, 11, makes a build 7 % smaller than this one does, and takes twelve times as long: a second and a half of
 * every gateway's start.
 */
const BROTLI_QUALITY = 9;

/** Shorter files are not worth compressing, in bytes. */
const COMPRESS_FROM_BYTES = 512;

const YEAR_SECONDS = 31_536_000;

/** The page that every address of the application begins with. */
const INDEX = "/index.html";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

/**
 * What the pages may do: run and show what comes from here, and call this origin. No inline script or style, no
 * frame, nobody else's server. Whatever text an operator or a buyer wrote, it cannot run.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Serves a built single-page application. Files whose name holds a hash of their content (`app-3f9c2a1b.js`) may
 * be kept for a year; all others are asked for anew each time, and answered with 304 while they are the same. An
 * address without an extension that a browser opens is one of the application's own, and gets `index.html`.
 *
 * @returns undefined where the folder holds no `index.html`: there is no build
 * @throws ConfigError where the folder holds far more than a build
 */
export function openStaticFiles(folder: string): StaticFiles | undefined {
  if (!statSync(join(folder, INDEX), { throwIfNoEntry: false })?.isFile()) return undefined;
  const files = readFiles(folder);
  const index = files.get(INDEX);
  return {
    answer(exchange) {
      const file = files.get(exchange.path) ?? (isPageOfApplication(exchange) ? index : undefined);
      if (file === undefined) return false;
      send(file, exchange);
      return true;
    },
  };
}

type File = {
  headers: FlatHeaders;
  variants: Readonly<Record<Encoding, { bytes: Buffer; etag: string }>>;
};

function readFiles(folder: string): ReadonlyMap<string, File> {
  const files = new Map<string, File>();
  let total = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = join(entry.parentPath, entry.name);
    const bytes = readFileSync(name);
    total += bytes.length;
    if (total > MAX_TOTAL_BYTES) {
      throw new ConfigError(`WEB_FOLDER holds more than ${MAX_TOTAL_BYTES} bytes: it is no built site`);
    }
    const path = `/${relative(folder, name).split(sep).join("/")}`;
    files.set(path, toFile(path, bytes));
  }
  return files;
}

function toFile(path: string, bytes: Buffer): File {
  const extension = extname(path);
  const type = TYPES[extension] ?? "application/octet-stream";
  const isHashed = /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+(\.map)?$/.test(path) && path.includes("/assets/");
  return {
    headers: [
      "content-type",
      type,
      "cache-control",
      isHashed ? `public, max-age=${YEAR_SECONDS}, immutable` : "no-cache",
      ...FILE_HEADERS,
      ...(extension === ".html" ? ["content-security-policy", POLICY] : []),
    ],
    variants: variantsOf(bytes, /^(text|application|image\/svg)/.test(type)),
  };
}

/** Each form of the file has a tag of its own, as caches demand. */
function variantsOf(bytes: Buffer, isText: boolean): File["variants"] {
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  const identity = { bytes, etag: `"${hash}"` };
  if (!isText || bytes.length < COMPRESS_FROM_BYTES) return { identity, gzip: identity, br: identity };
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } };
  return {
    identity,
    gzip: { bytes: gzipSync(bytes, { level: 9 }), etag: `"${hash}-gzip"` },
    br: { bytes: brotliCompressSync(bytes, quality), etag: `"${hash}-br"` },
  };
}

/** An address may hold a reservation id, which is a secret: nobody else is told where a reader came from. */
const FILE_HEADERS = [
  "cross-origin-opener-policy",
  "same-origin",
  "cross-origin-resource-policy",
  "same-origin",
  "referrer-policy",
  "no-referrer",
];

function send(file: File, exchange: Exchange): void {
  const encoding = chooseEncoding(exchange.header("accept-encoding"));
  const { bytes, etag } = file.variants[encoding];
  const headers = [...file.headers, "etag", etag];
  if (matchesEtag(exchange.header("if-none-match"), etag)) {
    exchange.send(304, headers);
    return;
  }
  if (bytes !== file.variants.identity.bytes) headers.push("content-encoding", encoding);
  exchange.send(200, [...headers, "content-length", String(bytes.length)], bytes);
}

/** Files have extensions and methods of the API have dots, so that a mistyped one of either is told apart. */
function isPageOfApplication({ path, request }: Exchange): boolean {
  return !path.includes(".") && (request.headers.accept ?? "").includes("text/html");
}
