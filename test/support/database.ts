import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { migrate } from "@boxoffice/platform/migrations.ts";
import pg from "pg";
import { inject } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const PASSWORD = "test";

export type TestDatabase = {
  /** As the service's own role, by its schema's name. */
  urlFor(schema: string): string;
  /** As its owner. */
  ownerUrl: string;
  drop(): Promise<void>;
};

/** A database of the calling test's own, with the schemas of these services and a role for each. */
export async function createTestDatabase(...services: string[]): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await asOwner(`create database ${name}`);
  const ownerUrl = urlOf(name);
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
    urlFor: (service) => urlOf(name, roleOf(service)),
    async drop() {
      await asOwner(`drop database ${name} with (force)`);
      for (const service of services) await asOwner(`drop role ${roleOf(service)}`);
    },
  };
}

function urlOf(database: string, role?: string): string {
  const url = new URL(inject("ownerUrl"));
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = PASSWORD;
  }
  return url.href;
}

async function asOwner(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject("ownerUrl") });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
