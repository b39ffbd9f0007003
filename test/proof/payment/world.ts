import { join } from "node:path";
import {
  PaymentService,
  PaymentState,
  type PayReservationResponse,
} from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import type { Client } from "@connectrpc/connect";
import { ROOT } from "../../../local/config.ts";
import { freePort } from "../../../local/ports.ts";
import type { ProcessSpec } from "../../../local/supervisor.ts";
import { RESERVATION_RULES } from "../../checker/check.ts";
import type { Told } from "../../checker/history.ts";
import { paymentRules } from "../../checker/payments.ts";
import type { FaultBoxOffice, Replica, ReplicaOptions } from "../../faults/box-office.ts";
import { itemsOf, type OpenedEvent, openEvent } from "../../faults/sale.ts";
import { until } from "../../faults/until.ts";
import { type Entry, readLedger } from "../../provider/ledger.ts";
import { check, type Proof } from "../property.ts";
import { type SaleReplica, saleReplica } from "../reservation/replicas.ts";
import { wordOf } from "../tally.ts";

export type PaymentReplica = Replica & {
  buyer: Client<typeof PaymentService>;
  operator: Client<typeof PaymentService>;
};

/** What every proof of payments needs. */
export type World = {
  sale: SaleReplica;
  event: OpenedEvent;
  /** The charges and refunds that the provider has in its own books. */
  ledger(): Entry[];
  /** How many charges there are in them. */
  charges(): number;
  /** How often the provider was asked for money. */
  asked(): Promise<number>;
  /** Starts a payment replica, or gives the one of this name; again, where it does not run any more. */
  payment(name: string, options?: Partial<ReplicaOptions>): Promise<PaymentReplica>;
  hold(): Promise<string>;
};

const TICKETS = 1_000_000;

/** Within this every payment is settled, whatever happened to the process that worked on it. */
const SETTLED_WITHIN_MS = 60_000;

let providers = 0;

/**
 * A sale, and a provider that is a process of its own; with `canLookUp` it tells what became of a charge. All that was
 * started for them ends with `work`: a completer must not ask one provider for what another one has charged.
 */
export async function inWorld<T>(
  office: FaultBoxOffice,
  { canLookUp }: { canLookUp: boolean },
  work: (world: World) => Promise<T>,
): Promise<T> {
  const sale = await saleReplica(office, "steady", "one");
  const event = await openEvent(sale, [TICKETS]);
  const name = `provider ${++providers}`;
  const ledgerFile = join(office.folder, name.replace(" ", "-"));
  const port = await freePort();
  const provider = office.add(providerSpec(name, port, ledgerFile, canLookUp));
  await provider.start();
  const url = `http://127.0.0.1:${port}`;
  const started = [provider];
  const world: World = {
    sale,
    event,
    ledger: () => readLedger(ledgerFile),
    charges: () => readLedger(ledgerFile).filter(({ kind }) => kind === "charge").length,
    async asked() {
      const health = (await (await fetch(`${url}/health`)).json()) as { asked: number };
      return health.asked;
    },
    async payment(replicaName, options = {}) {
      const replica = await office.start("payment", {
        ...options,
        name: `${replicaName} at ${name}`,
        settings: { RESERVATION_ADDRESS: sale.address, PROVIDER_URL: url, ...options.settings },
      });
      started.push(replica.process);
      return {
        ...replica,
        buyer: await office.connect(PaymentService, replica.address),
        operator: await office.connect(PaymentService, replica.address, "operator"),
      };
    },
    async hold() {
      const { reservation } = await sale.buyer.reserve({ eventId: event.eventId, items: itemsOf(event, 1) });
      return reservation?.reservationId ?? "";
    },
  };
  try {
    return await work(world);
  } finally {
    await Promise.all(started.map((process) => process.stop()));
  }
}

/** The provider as a process, with its own books. */
export function providerSpec(
  name: string,
  port: number,
  ledgerFile: string,
  canLookUp: boolean,
  host = "127.0.0.1",
): ProcessSpec {
  return {
    name,
    command: process.execPath,
    args: [join(ROOT, "test", "provider", "main.ts")],
    cwd: ROOT,
    env: {
      ...process.env,
      PROVIDER_PORT: String(port),
      PROVIDER_HOST: host,
      PROVIDER_LEDGER: ledgerFile,
      ...(canLookUp && { PROVIDER_LOOKUP: "1" }),
    },
    readyWhen: { ok: `http://${host}:${port}/health` },
    readyWithinMs: 60_000,
    stopSignal: "SIGTERM",
    stopWithinMs: 5_000,
    tier: 2,
  };
}

/** What a buyer was told, in a word: the payment's state, or the reason of a refusal. */
export function paidWord(outcome: Told<PayReservationResponse>): string {
  if (outcome.kind !== "answered") return wordOf(outcome);
  const { state } = outcome.answer.payment ?? {};
  return Object.entries(PaymentState).find(([, value]) => value === state)?.[0] ?? "no payment";
}

/** What the checker finds in a world's reservations, payments and ledger. */
export function checkPayments(proof: Proof, { event, ledger }: World): Promise<string[]> {
  return check(proof, [event.eventId], [...RESERVATION_RULES, ...paymentRules(ledger)]);
}

/** Payments that are neither at an end nor in a state in which only the provider or an operator can help. */
const UNSETTLED = `
  state in ('CREATED', 'CHARGING', 'CHARGED', 'REFUNDING') or is_abort_pending or is_release_pending`;

/**
 * Waits until every payment is terminal, UNKNOWN or REFUND_DUE.
 *
 * @returns how long that took, or what was left when it took too long
 */
export async function settle({ office }: Proof): Promise<{ ms: number; violations: string[] }> {
  const left = () =>
    office.database.query<{ state: string }>({
      text: `select state from payment.payments where ${UNSETTLED}`,
    });
  try {
    const ms = await until("payments settle", SETTLED_WITHIN_MS, async () => (await left()).length === 0);
    return { ms, violations: [] };
  } catch {
    const states = (await left()).map(({ state }) => state);
    return { ms: SETTLED_WITHIN_MS, violations: [`not settled after a minute: ${states.join(", ")}`] };
  }
}

/** As if the time of every lease were over, which spares a short proof the wait. */
export async function endLeases({ office }: Proof): Promise<void> {
  const text = "update payment.payments set lease_until = payment.clock() where lease_until is not null";
  await office.database.query({ text });
}

/** How many payments of the world's event are in each state. */
export async function statesOf({ office }: Proof, { event }: World): Promise<Record<string, number>> {
  const rows = await office.database.query<{ state: string; count: bigint }>({
    text: "select state, count(*) as count from payment.payments where event_id = $1 group by state",
    values: [event.eventId],
  });
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}
