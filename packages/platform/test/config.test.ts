import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError, commonSettings, readConfig, setting } from "../src/config.ts";

const shape = {
  ...commonSettings,
  CATALOG_PORT: setting.port(50_051),
  CATALOG_DATABASE_URL: setting.url("postgres:", "postgresql:"),
  HOLD_SECONDS: setting.integer({ min: 1, max: 86_400, fallback: 900 }),
};

const good = {
  JWKS_FILE: "jwks.json",
  PRIVATE_KEY_FILE: "catalog.key",
  CATALOG_DATABASE_URL: "postgres://catalog:secret@localhost/boxoffice",
};

test("what is unset or empty takes its default", () => {
  const config = readConfig(shape, { ...good, HOLD_SECONDS: "", UNRELATED: "yes" });
  expect(config).toMatchObject({
    CATALOG_PORT: 50_051,
    HOLD_SECONDS: 900,
    LISTEN_HOST: "127.0.0.1",
    LOG_LEVEL: "info",
  });
  expect(config).not.toHaveProperty("UNRELATED");
});

test.each([
  [{ CATALOG_PORT: "65536" }, "CATALOG_PORT must be a whole number from 0 to 65535"],
  [{ CATALOG_PORT: "-1" }, "CATALOG_PORT must be a whole number from 0 to 65535"],
  [{ CATALOG_PORT: "80.5" }, "CATALOG_PORT must be a whole number from 0 to 65535"],
  [{ HOLD_SECONDS: "0" }, "HOLD_SECONDS must be a whole number from 1 to 86400"],
  [{ HOLD_SECONDS: "1e3" }, "HOLD_SECONDS must be a whole number from 1 to 86400"],
  [{ LOG_LEVEL: "loud" }, "LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent"],
  [{ JWKS_FILE: "" }, "JWKS_FILE is not set"],
  [
    { CATALOG_DATABASE_URL: "mysql://root:secret@localhost" },
    "CATALOG_DATABASE_URL must be a URL that begins with",
  ],
])("%j is refused by name", (wrong, message) => {
  expect(() => readConfig(shape, { ...good, ...wrong })).toThrow(message);
});

test("every wrong setting is named at once, and no value is repeated", () => {
  const wrong = {
    ...good,
    CATALOG_PORT: "secret",
    CATALOG_DATABASE_URL: "secret",
    PRIVATE_KEY_FILE: undefined,
  };
  const refused = () => readConfig(shape, wrong);
  expect(refused).toThrow(ConfigError);
  expect(refused).toThrow(/CATALOG_PORT/);
  expect(refused).toThrow(/CATALOG_DATABASE_URL/);
  expect(refused).toThrow(/PRIVATE_KEY_FILE/);
  expect(refused).not.toThrow(/secret/);
});

test("each setting may stand in a file, and is named where that cannot be read", () => {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-config-"));
  const file = join(folder, "hold");
  try {
    writeFileSync(file, "60\n");
    expect(readConfig(shape, { ...good, HOLD_SECONDS_FILE: file }).HOLD_SECONDS).toBe(60);
    writeFileSync(file, "\n");
    expect(readConfig(shape, { ...good, HOLD_SECONDS_FILE: file }).HOLD_SECONDS).toBe(900);
    const both = () => readConfig(shape, { ...good, HOLD_SECONDS_FILE: file, HOLD_SECONDS: "60" });
    expect(both).toThrow("HOLD_SECONDS and HOLD_SECONDS_FILE are both set");
    const { CATALOG_DATABASE_URL: _, ...rest } = good;
    const missing = () => readConfig(shape, { ...rest, CATALOG_DATABASE_URL_FILE: join(folder, "none") });
    expect(missing).toThrow(/^CATALOG_DATABASE_URL_FILE names a file that cannot be read$/);
    expect(readConfig(shape, good)).toMatchObject({ JWKS_FILE: "jwks.json" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
