import { setTimeout as delay } from "node:timers/promises";
import { AGREEMENT_RULES } from "../checker/agreement.ts";
import { findViolations, RESERVATION_RULES } from "../checker/check.ts";
import type { History } from "../checker/history.ts";
import { paymentRules } from "../checker/payments.ts";
import type { Random } from "../faults/random.ts";
import { until } from "../faults/until.ts";
import { settle } from "../proof/payment/world.ts";
import type { Size } from "../proof/property.ts";
import { untilExact } from "../proof/statistics/world.ts";
import type { Entry } from "../provider/ledger.ts";
import type { Site } from "./site.ts";

const DELIVERED_WITHIN_MS = 60_000;

const STILL_FOR_MS = 3_000;
const STILL_WITHIN_MS = 90_000;

/**
 * What is wrong once everything runs again: with what buyers were told, the stock, the reservations, the payments
 * and the provider's ledger, between catalog and the sale, and in the statistics. Waits, a minute at most each, until
 * payments are settled, and everything is announced and counted.
 *
 * @param history of the buyers of this event
 */
export async function findDamage(
  site: Site,
  run: { eventId: string; history: History; random: Random; size: Size },
): Promise<string[]> {
  const { office, statistics } = site;
  const { eventId, history } = run;
  await untilStill(site);
  const settled = await settle({ office, ...run });
  const delivered = await untilDelivered(site, eventId);
  const others = await paymentsOfOthers(site, eventId);
  const ledger = (): Entry[] => site.arrangement.ledger().filter(({ key }) => !others.has(key));
  const books = await findViolations({
    database: office.database,
    history,
    eventIds: [eventId],
    rules: [...RESERVATION_RULES, ...paymentRules(ledger), ...AGREEMENT_RULES],
  });
  const counted = await untilExact({ office, statistics }, [eventId]);
  return [...settled.violations, ...delivered, ...books, ...counted.violations];
}

/** Who has vanished is still served: a payment may begin after its buyer's call has ended. */
async function untilStill({ office }: Site): Promise<void> {
  const look = async () => {
    const text =
      "select count(*) || ' in versions ' || coalesce(sum(version), 0) as now from payment.payments";
    return (await office.database.query<{ now: string }>({ text }))[0]?.now;
  };
  let last = await look();
  await until("no payment goes on", STILL_WITHIN_MS, async () => {
    await delay(STILL_FOR_MS);
    const before = last;
    last = await look();
    return last === before;
  });
}

async function untilDelivered({ office }: Site, eventId: string): Promise<string[]> {
  const isDelivered = async () => {
    const text = "select 1 from catalog.commands where state = 'PENDING' and event_id = $1 limit 1";
    return (await office.database.query({ text, values: [eventId] })).length === 0;
  };
  return until("catalog's commands are answered", DELIVERED_WITHIN_MS, isDelivered).then(
    () => [],
    (error: Error) => [error.message],
  );
}

/** Of events before this one: the provider has one ledger for all. */
async function paymentsOfOthers({ office }: Site, eventId: string): Promise<ReadonlySet<string>> {
  const rows = await office.database.query<{ id: string }>({
    text: `
      select p.payment_id as id from payment.payments p join reservation.reservations r using (reservation_id)
      where r.event_id <> $1`,
    values: [eventId],
  });
  return new Set(rows.map(({ id }) => id));
}
