import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseEncoding, matchesEtag } from "../content-coding.ts";
import { openStaticFiles } from "../static.ts";
import { startGateway, type TestGateway } from "./harness.ts";

const SCRIPT = `console.log("${"x".repeat(2000)}");`;

let folder: string;
let gateway: TestGateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxoffice-web-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Shop</title>");
  writeFileSync(join(folder, "icon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets", "app-3f9c2a1b.js"), SCRIPT);
  gateway = await startGateway({}, { webFolder: folder });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { headers: { accept: "text/html,*/*", ...headers } });

describe("pages", () => {
  test.each(["/", "/e/0198c1f0-0000-7000-8000-000000000001", "/operations/sales", "/index.html"])(
    "%s is a page of the application",
    async (path) => {
      const response = await get(path);
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("Shop")]);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-cache");
      expect(response.headers.get("referrer-policy")).toBe("no-referrer");
      const policy = response.headers.get("content-security-policy");
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
    },
  );

  test.each([
    "/assets/missing.js",
    "/../main.ts",
    "/%2e%2e/main.ts",
    "/boxoffice.catalog.v1.CatalogService/Nothing",
  ])("%s is none", async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  test("a program that asks for one gets an error it can read", async () => {
    const response = await fetch(`${gateway.url}/e/1`, { headers: { accept: "application/json" } });
    expect([response.status, (await response.json()).code]).toEqual([404, "unimplemented"]);
    expect((await fetch(`${gateway.url}/`, { method: "POST", body: "{}" })).status).toBe(404);
  });

  test("where there is no build, the list of events is shown", () => {
    expect(openStaticFiles(join(folder, "assets"))).toBeUndefined();
  });
});

describe("files", () => {
  test("with a hash in their name may be kept", async () => {
    const response = await get("/assets/app-3f9c2a1b.js");
    expect(await response.text()).toBe(SCRIPT);
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect((await get("/icon.svg")).headers.get("cache-control")).toBe("no-cache");
  });

  test("are compressed, each form with a tag of its own, and 304 when they are known", async () => {
    const tags = new Set<string | null>();
    for (const encoding of ["br", "gzip", "identity"]) {
      const headers = { "accept-encoding": encoding };
      const response = await get("/assets/app-3f9c2a1b.js", headers);
      expect(response.headers.get("content-encoding")).toBe(encoding === "identity" ? null : encoding);
      expect(response.headers.get("vary")).toContain("Accept-Encoding");
      expect(await response.text()).toBe(SCRIPT);
      const etag = response.headers.get("etag");
      tags.add(etag);
      const again = await get("/assets/app-3f9c2a1b.js", { ...headers, "if-none-match": `W/"x", ${etag}` });
      expect([again.status, await again.text()]).toEqual([304, ""]);
    }
    expect(tags.size).toBe(3);
  });

  test("HEAD says what GET would", async () => {
    const response = await fetch(`${gateway.url}/icon.svg`, { method: "HEAD" });
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([
      200,
      "6",
      "",
    ]);
  });
});

test.each([
  [undefined, "identity"],
  ["gzip, deflate, br", "br"],
  ["gzip;q=1.0, br;q=0", "gzip"],
  ["br;q=0.0", "identity"],
  ["*", "identity"],
  ["xbr", "identity"],
])("Accept-Encoding %s is answered with %s", (accepted, expected) => {
  expect(chooseEncoding(accepted)).toBe(expected);
});

test.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b"', false],
  ["*", true],
])("If-None-Match %s knows the tag: %s", (given, expected) => {
  expect(matchesEtag(given, '"a"')).toBe(expected);
});
