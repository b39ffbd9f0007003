import { PaymentOutcome, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { pooled } from "../pooled.ts";
import type { Finding, Proof, Property } from "../property.ts";
import { tally, told, unexpectedWords } from "../tally.ts";
import { checkPayments, inWorld, type PaymentReplica, paidWord, settle, type World } from "./world.ts";

const PAYMENTS = { full: 10_000, short: 80 };
const REFUNDS = { full: 500, short: 6 };
const AT_A_TIME = 64;

/** A tenth of the payments meet one of these. */
const TROUBLES = [
  "hang",
  "hang-charged",
  "late-1500",
  "fail",
  "fail-charged",
  "reset",
  "reset-charged",
  "cut",
  "busy",
];

const USUAL = [...Array<string>(19).fill("ok"), "card_error"];

const REFUND_TROUBLES = ["ok", "ok", "fail", "fail-charged", "reset", "reset-charged", "hang", "cut"];

/** The provider hangs, fails and resets connections, before and after it has taken the money. */
export const badProvider: Property = {
  name: "bad-provider",
  says: "of payments whose provider hangs, fails or breaks off, none is charged twice or for nothing",
  prove: (proof) => inWorld(proof.office, { canLookUp: false }, (world) => prove(proof, world)),
};

async function prove(proof: Proof, world: World): Promise<Finding> {
  const settings = { PROVIDER_TIMEOUT_MS: 1_000 };
  const replicas = [
    await world.payment("one", { settings }),
    await world.payment("two", { settings }),
  ] as const;
  const words = tally(await payAll(proof, world, replicas));
  const expected = ["SUCCEEDED", "UNKNOWN", "PROCESSING", "CARD_DECLINED", "unknown"];
  const violations = unexpectedWords(words, expected, "payments");
  violations.push(...(await settle(proof)).violations, ...(await checkPayments(proof, world)));
  const { operator } = replicas[0];
  const resolved = await resolveAll(world, operator);
  const refunds = await refundSome(proof, world, operator);
  violations.push(...(await settle(proof)).violations, ...(await checkPayments(proof, world)));
  const left = await listAll(world, operator, PaymentState.UNKNOWN);
  if (left.length > 0) violations.push(`${left.length} payments are still unknown`);
  // More than were asked for: what is charged after an operator has said that it never was is given back as well.
  const ended = new Set(await listAll(world, operator, PaymentState.REFUNDED));
  const missing = refunds.filter((paymentId) => !ended.has(paymentId));
  if (missing.length > 0) violations.push(`${missing.length} of ${refunds.length} refunds were not made`);
  const refunded = world.ledger().filter(({ kind }) => kind === "refund").length;
  if (refunded !== ended.size) violations.push(`${ended.size} payments are refunded, by ${refunded} refunds`);
  return { counts: { ...words, resolved, refunded }, violations };
}

/** @returns what each buyer was told, in a word */
function payAll({ random, size }: Proof, world: World, replicas: readonly [PaymentReplica, PaymentReplica]) {
  const tokens = Array.from({ length: PAYMENTS[size] }, (_, n) => {
    const word = random.chance(0.1) ? random.pick(TROUBLES) : random.pick(USUAL);
    return `${word}/${random.pick(REFUND_TROUBLES)}#${n}`;
  });
  return each(tokens, async (token, n) => {
    const reservationId = await world.hold();
    const { buyer } = n % 2 === 0 ? replicas[0] : replicas[1];
    return paidWord(await told(buyer.payReservation({ reservationId, token })));
  });
}

/** An operator looks into the provider's books, and says what is there. @returns how often */
async function resolveAll(world: World, operator: PaymentReplica["operator"]): Promise<number> {
  const charged = new Set(world.ledger().map(({ key }) => key));
  const unknown = await listAll(world, operator, PaymentState.UNKNOWN);
  await each(unknown, (paymentId) => {
    const outcome = charged.has(paymentId) ? PaymentOutcome.CHARGED : PaymentOutcome.FAILED;
    return told(operator.resolvePayment({ paymentId, outcome, reason: "proof" }));
  });
  return unknown.length;
}

/** @returns which payments */
async function refundSome(
  { random, size }: Proof,
  world: World,
  operator: PaymentReplica["operator"],
): Promise<string[]> {
  const paid = await listAll(world, operator, PaymentState.SUCCEEDED);
  const refunds = random.shuffle(paid).slice(0, REFUNDS[size]);
  await each(refunds, (paymentId) =>
    told(operator.refundPayment({ paymentId, reason: "proof", keepOffSale: random.chance(0.5) })),
  );
  return refunds;
}

const each = <Item, T>(items: readonly Item[], work: (item: Item, n: number) => Promise<T>) =>
  pooled(items.length, AT_A_TIME, (n) => work(items[n] as Item, n));

async function listAll(
  { event: { eventId } }: World,
  operator: PaymentReplica["operator"],
  state: PaymentState,
): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await operator.listPayments({ states: [state], eventId, pageSize: 500, pageToken });
    ids.push(...page.payments.map(({ paymentId }) => paymentId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return ids;
}
