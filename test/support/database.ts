import { inject } from "vitest";
import { createFreshDatabase, type FreshDatabase } from "./fresh-database.ts";

export type TestDatabase = FreshDatabase;

/** A database of the calling test's own, with the schemas of these services and a role for each. */
export function createTestDatabase(...services: string[]): Promise<TestDatabase> {
  return createFreshDatabase(inject("ownerUrl"), services);
}
