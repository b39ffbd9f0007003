import type { FaultBoxOffice, Replica } from "../../faults/box-office.ts";
import { connectSale, type SaleClients } from "../../faults/sale.ts";

export type SaleReplica = Replica & SaleClients;

/** How the replicas of a proof differ. */
const SETTINGS = {
  /** Holds outlast every proof. */
  steady: {},
  /** Holds end after a second and may be paid to the last moment. */
  hasty: { HOLD_SECONDS: 1, PAY_MARGIN_SECONDS: 0 },
  /** Holds end after two seconds, and in the second of them cannot begin to be paid. */
  careful: { HOLD_SECONDS: 2, PAY_MARGIN_SECONDS: 1 },
} as const;

const connected = new WeakMap<FaultBoxOffice, Map<string, SaleReplica>>();

/** A replica of the sale, which is started where it does not run yet, with everybody who calls it. */
export async function saleReplica(
  office: FaultBoxOffice,
  kind: keyof typeof SETTINGS,
  name: string,
): Promise<SaleReplica> {
  const known = connected.get(office) ?? new Map<string, SaleReplica>();
  connected.set(office, known);
  const replica = await office.start("reservation", { name: `${kind} ${name}`, settings: SETTINGS[kind] });
  const clients = known.get(replica.address) ?? { ...replica, ...(await connectSale(office, replica)) };
  known.set(replica.address, clients);
  return clients;
}

/** Two replicas whose holds outlast the proof, on one database. */
export const steadyPair = (office: FaultBoxOffice): Promise<[SaleReplica, SaleReplica]> =>
  Promise.all([saleReplica(office, "steady", "one"), saleReplica(office, "steady", "two")]);
