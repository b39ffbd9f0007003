import { readdirSync } from "node:fs";
import { runner } from "node-pg-migrate";
import pg from "pg";

export type MigrateOptions = {
  /** Connects as an owner that may create roles and schemas. */
  ownerUrl: string;
  /** The schema that the service owns: its name, in the characters a-z and _. */
  schema: string;
  /** The folder with the numbered SQL files. */
  directory: string;
  /** What the service connects as: it may read and write this schema's rows, and nothing else. */
  role: { name: string; password: string };
};

/**
 * Brings one service's schema up to date: creates the role and the schema where they are missing, runs the SQL
 * files not run yet in the order of their numbers, and grants the role its rows. A second runner waits, and
 * then finds nothing to do.
 */
export async function migrate({ ownerUrl, schema, directory, role }: MigrateOptions): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl, application_name: `migrate ${schema}` });
  await owner.connect();
  try {
    await createRole(owner, role);
    await runner({
      dbClient: owner,
      dir: directory,
      direction: "up",
      schema,
      createSchema: true,
      migrationsTable: "migrations",
      migrationsSchema: schema,
      ignorePattern: "(?!\\d+_.*\\.sql$).*",
      count: readdirSync(directory).length,
      checkOrder: true,
      advisoryLockMode: "wait",
      log: () => {},
    });
    await grant(owner, schema, role.name);
  } finally {
    await owner.end();
  }
}

/**
 * Roles belong to the whole server: another database's migration may be creating or changing the same one.
 *
 * @throws an error that says what to do where the role is somebody else's
 */
async function createRole(owner: pg.Client, { name, password }: MigrateOptions["role"]): Promise<void> {
  const [id, secret] = [pg.escapeIdentifier(name), pg.escapeLiteral(password)];
  try {
    await owner.query(`create role ${id} login password ${secret}`);
  } catch (error) {
    if (!hasState(error, DUPLICATE_OBJECT, UNIQUE_VIOLATION)) throw error;
    await setPassword(owner, name, `alter role ${id} login password ${secret}`);
  }
}

async function setPassword(owner: pg.Client, name: string, text: string): Promise<void> {
  try {
    await owner.query(text);
  } catch (error) {
    if (hasState(error, INSUFFICIENT_PRIVILEGE)) {
      const message = `The role ${name} exists already and is not this owner's to change. Name another role in the service's own database URL.`;
      throw new Error(message, { cause: error });
    }
    // Two migrations that set the same password at the same moment: one of them has set it.
    if (!(error instanceof Error) || !error.message.includes("tuple concurrently updated")) throw error;
  }
}

async function grant(owner: pg.Client, schema: string, role: string): Promise<void> {
  const [space, id] = [pg.escapeIdentifier(schema), pg.escapeIdentifier(role)];
  await owner.query(`
    revoke all on schema ${space} from public;
    grant usage on schema ${space} to ${id};
    grant select, insert, update, delete on all tables in schema ${space} to ${id};
    grant usage on all sequences in schema ${space} to ${id};
    revoke all on table ${space}.migrations from ${id};
  `);
}

const DUPLICATE_OBJECT = "42710";
const UNIQUE_VIOLATION = "23505";
const INSUFFICIENT_PRIVILEGE = "42501";

const hasState = (error: unknown, ...states: string[]): boolean =>
  error instanceof pg.DatabaseError && states.includes(error.code ?? "");
