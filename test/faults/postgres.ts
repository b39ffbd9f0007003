import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../local/ports.ts";
import { preparePostgres } from "../../local/postgres.ts";
import { Supervisor } from "../../local/supervisor.ts";
import { tell } from "../support/tell.ts";
import type { AddProcess } from "./box-office.ts";
import type { FaultProcess } from "./fault-process.ts";
import type { Network } from "./network.ts";

/** A PostgreSQL that is killed, stopped at once and started again. What it has committed is on disk. */
export type FaultPostgres = { process: FaultProcess; ownerUrl: string };

/**
 * Makes a cluster and starts a PostgreSQL on it, for one box office alone, at an address of its own as "postgres".
 *
 * @param settings beside the usual ones
 */
export async function startPostgres(place: {
  /** Where the cluster shall be. */
  folder: string;
  add: AddProcess;
  network: Network;
  settings?: Record<string, string>;
  /** Told where the cluster is, once it has its address and before anything runs on it. */
  onDisk?: (folder: string) => void;
}): Promise<FaultPostgres> {
  const { add, network, settings = {} } = place;
  const supervisor = new Supervisor(join(place.folder, "making"), tell);
  await supervisor.begin();
  try {
    const port = await freePort();
    const made = await preparePostgres({
      folder: join(place.folder, "cluster"),
      port,
      password: "postgres",
      durable: true,
      supervisor,
      tell,
    });
    const address = await network.join("postgres", "postgres");
    appendFileSync(join(made.folder, "pg_hba.conf"), `host all all ${network.range} scram-sha-256\n`);
    place.onDisk?.(made.folder);
    const own = { ...settings, listen_addresses: address };
    const flags = Object.entries(own).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const spec = network.place("postgres", { ...made.spec, args: [...made.spec.args, ...flags] });
    const postgres = add(spec);
    await postgres.start();
    const ownerUrl = new URL(made.ownerUrl);
    ownerUrl.hostname = address;
    return { process: postgres, ownerUrl: ownerUrl.href };
  } finally {
    await supervisor.stop();
  }
}
