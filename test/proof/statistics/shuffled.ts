import { isDeepStrictEqual } from "node:util";
import { Bus } from "@boxoffice/platform/bus.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { type Change, ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { batchOf, event } from "../../../services/stats/test/messages.ts";
import { type Expected, figuresIn, randomSale } from "../../../services/stats/test/sale.ts";
import type { Random } from "../../faults/random.ts";
import { newId } from "../../faults/sale.ts";
import { until } from "../../faults/until.ts";
import type { Property } from "../property.ts";
import { type World, worldOf } from "./world.ts";

/** Changes in all, and reservations of each of the events that they are about. */
const SIZES = {
  full: { changes: 1_000_000, reservations: 2_500 },
  short: { changes: 2_000, reservations: 100 },
};

const TIMES = 3;

/** Changes of one message, as many as a busy sale makes at a time. */
const TOGETHER = 120;
const MESSAGES_AT_A_TIME = 200;
const COUNTED_WITHIN_MS = { full: 1_800_000, short: 60_000 };

type Told = { eventId: string; figures: Expected["events"][number] };
type Message = { eventId: string; payload: Uint8Array };

/** Every change is delivered three times, in any order, and all of it once more when everything is over. */
export const shuffled: Property = {
  name: "shuffled",
  says: "a million changes delivered three times each, shuffled, and replayed later, are counted exactly",
  async prove({ office, random, size }) {
    const world = await worldOf(office);
    const bus = new Bus({ url: world.nats.url, name: "proof", log: createLogger("proof", "silent") });
    try {
      await until("the proof is connected", COUNTED_WITHIN_MS.short, () => bus.isConnected);
      const told: Told[] = [];
      const all: Message[] = [];
      let changes = 0;
      while (changes < SIZES[size].changes) {
        const sale = randomSale((limit) => random.int(0, limit - 1), SIZES[size].reservations);
        changes += sale.messages.reduce((sum, message) => sum + message.changes.length, 0);
        const messages = shuffledMessages(sale.messages, random);
        const eventIds = [...new Set(sale.messages.map(({ eventId }) => eventId))];
        told.push(
          ...sale.expected.events.map((figures, index) => ({ eventId: eventIds[index] ?? "", figures })),
        );
        all.push(...messages);
        await publish(bus, messages);
      }
      const violations = [...(await untilCounted(world, bus, size)), ...(await compare(world, told))];
      await publish(bus, random.shuffle(all));
      violations.push(...(await untilCounted(world, bus, size)), ...(await compare(world, told)));
      return { counts: { changes, delivered: changes * (TIMES + TIMES), events: told.length }, violations };
    } finally {
      await bus.close();
    }
  },
};

/** Every change three times, in any order, in messages as a service might have made them. */
function shuffledMessages(
  messages: readonly { eventId: string; changes: readonly Change[] }[],
  random: Random,
): Message[] {
  const changes = messages.flatMap((message) =>
    message.changes.map((change) => ({ eventId: message.eventId, change })),
  );
  const mixed = random.shuffle([...changes, ...changes, ...changes]);
  const cut: Message[] = [];
  for (const [eventId, ofEvent] of Map.groupBy(mixed, (one) => one.eventId)) {
    for (let start = 0; start < ofEvent.length; start += TOGETHER) {
      const together = ofEvent.slice(start, start + TOGETHER).map(({ change }) => change);
      const batch = create(ChangeBatchSchema, { batchId: newId(), eventId, changes: together });
      cut.push({ eventId, payload: toBinary(ChangeBatchSchema, batch) });
    }
  }
  return random.shuffle(cut);
}

async function publish(bus: Bus, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += MESSAGES_AT_A_TIME) {
    await bus.publish(
      messages.slice(start, start + MESSAGES_AT_A_TIME).map(({ eventId, payload }) => ({
        subject: `reservation.v1.${eventId}`,
        id: newId(),
        payload,
      })),
    );
  }
}

/** Waits until the last message is counted, and all before it. */
async function untilCounted({ office }: World, bus: Bus, size: keyof typeof SIZES): Promise<string[]> {
  const end = newId();
  await publish(bus, [{ eventId: end, payload: toBinary(ChangeBatchSchema, batchOf(end, [event(end)])) }]);
  const isCounted = async () =>
    (
      await office.database.query({
        text: "select 1 from stats.live_events where event_id = $1",
        values: [end],
      })
    ).length > 0;
  return until("everything is counted", COUNTED_WITHIN_MS[size], isCounted).then(
    () => [],
    (error: Error) => [error.message],
  );
}

async function compare({ statistics }: World, told: readonly Told[]): Promise<string[]> {
  const violations: string[] = [];
  for (const { eventId, figures } of told) {
    const { eventStats } = await statistics.getEventStats({ eventId });
    const counted = eventStats && figuresIn(eventStats);
    if (isDeepStrictEqual(counted, figures)) continue;
    const [is, expected] = [JSON.stringify(counted), JSON.stringify(figures)];
    violations.push(`event ${eventId}: ${is} was counted in place of ${expected}`);
  }
  return violations;
}
