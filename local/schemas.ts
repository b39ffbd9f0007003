import { join } from "node:path";
import { migrate } from "@boxoffice/platform/migrations.ts";
import { ROOT } from "./config.ts";
import type { ServiceDatabase } from "./databases.ts";

/** Brings every schema that has a known owner up to date, and makes the roles that the services connect as. */
export async function migrateAll(databases: ServiceDatabase[]): Promise<void> {
  await Promise.all(databases.map(migrateOne));
}

async function migrateOne({ service, url, ownerUrl }: ServiceDatabase): Promise<void> {
  if (ownerUrl === undefined) return;
  const { username, password } = new URL(url);
  await migrate({
    ownerUrl,
    schema: service,
    directory: join(ROOT, "services", service, "migrations"),
    role: { name: decodeURIComponent(username), password: decodeURIComponent(password) },
  });
}
