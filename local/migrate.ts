/** npm run migrate: brings the schemas up to date as a step of its own, before a deployment. */
import { mkdirSync } from "node:fs";
import { ConfigError } from "@boxoffice/platform/config.ts";
import { readLocalConfig, SERVICES } from "./config.ts";
import { serviceDatabases } from "./databases.ts";
import { recall } from "./memory.ts";
import { migrateAll } from "./schemas.ts";

try {
  const config = readLocalConfig();
  if (config.databaseUrl === undefined) {
    throw new ConfigError(
      "DATABASE_URL is not set: npm run migrate needs it, as a user who may create roles and schemas. " +
        "Each role's name and password come from <SERVICE>_DATABASE_URL, or are made up and remembered in BOXOFFICE_DATA.",
    );
  }
  mkdirSync(config.dataFolder, { recursive: true });
  const { rolePasswords } = await recall(config.dataFolder);
  await migrateAll(serviceDatabases(config, undefined, rolePasswords));
  console.log(`Up to date: ${SERVICES.join(", ")}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
