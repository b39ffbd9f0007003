import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { migrate } from "@boxoffice/platform/migrations.ts";
import pg from "pg";

const ROOT = join(import.meta.dirname, "..", "..");
const PASSWORD = "test";

export type FreshDatabase = {
  /** As the service's own role, by its schema's name. */
  urlFor(schema: string): string;
  /** As its owner. */
  ownerUrl: string;
  drop(): Promise<void>;
};

/**
 * A new database on a server, with the schemas of these services and a role for each.
 *
 * @param serverUrl of a database there, as its superuser
 */
export async function createFreshDatabase(serverUrl: string, services: string[]): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await runOn(serverUrl, `create database ${name}`);
  const ownerUrl = urlOf(serverUrl, name);
  const roleOf = (service: string) => `${service}_${name}`;
  await Promise.all(
    services.map((service) =>
      migrate({
        ownerUrl,
        schema: service,
        directory: join(ROOT, "services", service, "migrations"),
        role: { name: roleOf(service), password: PASSWORD },
      }),
    ),
  );
  return {
    ownerUrl,
    urlFor: (service) => urlOf(serverUrl, name, roleOf(service)),
    async drop() {
      await runOn(serverUrl, `drop database ${name} with (force)`);
      for (const service of services) await runOn(serverUrl, `drop role ${roleOf(service)}`);
    },
  };
}

function urlOf(serverUrl: string, database: string, role?: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = PASSWORD;
  }
  return url.href;
}

async function runOn(serverUrl: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
