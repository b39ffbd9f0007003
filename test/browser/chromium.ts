import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { LaunchOptions } from "playwright-core";

/** The first has no windows, toolbars and new-tab pages to draw for each visitor, which cost more than our pages. */
const NAMES = [
  "chromium-headless-shell",
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
];

/** The Chromium that `CHROMIUM_BIN` names, or one on the PATH; undefined where there is none. */
export function findChromium(env: Record<string, string | undefined> = process.env): string | undefined {
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/bin"];
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return (env.CHROMIUM_BIN ? [env.CHROMIUM_BIN] : found).find(isExecutable);
}

/** It asks nobody anything but the pages it is sent to. */
export function launchOptions(executablePath: string): LaunchOptions {
  return {
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
