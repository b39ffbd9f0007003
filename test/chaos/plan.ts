import type { Random } from "../faults/random.ts";

/** How a visit ends, once the buyer has tickets. */
export type Fate = "pay" | "decline" | "cancel" | "leave" | "vanish reserving" | "vanish paying";

/** Everything that one buyer will do, fixed before they arrive. */
export type BuyerPlan = {
  number: number;
  /** After the first one could have come. */
  arrivesAtMs: number;
  json: boolean;
  /** Looks at the event and at what is left first. */
  looks: boolean;
  /** Which ticket type, by its position; the first is the one that everybody wants. */
  type: number;
  quantity: number;
  fate: Fate;
  /** Presses twice, so that the same request arrives twice at once. */
  pressesTwice: boolean;
  /** Who vanished asks again later, with the same request id. */
  comesBack: boolean;
  vanishesAfterMs: number;
  /** Before each of the steps. */
  thinksMs: readonly [number, number, number];
  /** Sent with Reserve, with the first card and with the second. */
  requestIds: readonly [string, string, string];
};

export type Habits = {
  /** Buyers per second on average. They arrive at random moments, however the box office fares. */
  perSecond: number;
  /** How many types there are. */
  types: number;
  /** The longest that anybody thinks, in milliseconds. */
  thinksMs: number;
};

/** So many of ten want the first type. */
const WANT_THE_FIRST = 0.8;

const FATES: readonly Fate[] = [
  ...Array<Fate>(9).fill("pay"),
  ...Array<Fate>(2).fill("decline"),
  ...Array<Fate>(3).fill("cancel"),
  ...Array<Fate>(2).fill("leave"),
  ...Array<Fate>(2).fill("vanish reserving"),
  ...Array<Fate>(2).fill("vanish paying"),
];

/** Buyers without end. The same seed gives the same buyers, at the same moments, with the same request ids. */
export function* planBuyers(random: Random, { perSecond, types, thinksMs }: Habits): Generator<BuyerPlan> {
  let arrivesAtMs = 0;
  for (let number = 1; ; number++) {
    arrivesAtMs += (-Math.log(1 - random.next()) * 1_000) / perSecond;
    const isFirst = types === 1 || random.chance(WANT_THE_FIRST);
    yield {
      number,
      arrivesAtMs,
      json: random.chance(0.7),
      looks: random.chance(0.5),
      type: isFirst ? 0 : random.int(1, types - 1),
      quantity: random.int(1, 4),
      fate: random.pick(FATES),
      pressesTwice: random.chance(0.05),
      comesBack: random.chance(0.5),
      vanishesAfterMs: random.int(1, 60),
      thinksMs: [random.int(0, thinksMs), random.int(0, thinksMs), random.int(0, thinksMs)],
      requestIds: [uuid(random), uuid(random), uuid(random)],
    };
  }
}

/** A UUID of version 4 out of a source that can be had again. */
function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.int(0, 15).toString(16));
  hex[12] = "4";
  hex[16] = random.int(8, 11).toString(16);
  const text = hex.join("");
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
  return parts.join("-");
}
