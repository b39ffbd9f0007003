/** npm run migrate: brings the schemas up to date as a step of its own, before a deployment. */
import { mkdirSync } from "node:fs";
import { ConfigError } from "@boxoffice/platform/config.ts";
import { type LocalConfig, readLocalConfig, SERVICES, type Service } from "./config.ts";
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
  await migrateAll(serviceDatabases(config, undefined, await rolePasswords(config)));
  console.log(`Up to date: ${SERVICES.join(", ")}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Those that nobody told us; where all were told, nothing has to be remembered, and no folder is needed. */
async function rolePasswords({
  dataFolder,
  serviceDatabaseUrls,
}: LocalConfig): Promise<Partial<Record<Service, string>>> {
  if (SERVICES.every((service) => serviceDatabaseUrls[service])) return {};
  mkdirSync(dataFolder, { recursive: true });
  return (await recall(dataFolder)).rolePasswords;
}
