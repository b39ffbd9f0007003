import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { behaviourOf, lateMsOf, WRONG_REFUNDS, withoutCharge } from "./behaviour.ts";
import type { Ledger } from "./ledger.ts";

export type SimulatorOptions = {
  ledger: Ledger;
  /** Whether it tells what became of a charge; otherwise it knows of none. */
  canLookUp: boolean;
  /** The key that callers have to show; none unless given. */
  apiKey?: string;
};

/** A payment company with books of its own, which behaves as the card's token says (see behaviour.ts). */
export function createSimulator({ ledger, canLookUp, apiKey }: SimulatorOptions): Server {
  const refundBehaviours = new Map<string, string>();
  const refundTries = new Map<string, number>();

  let asked = 0;

  async function charge(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = String(request.headers["idempotency-key"]);
    const { amount, currency, token } = JSON.parse(await text(request));
    asked++;
    const behaviour = behaviourOf(token);
    refundBehaviours.set(key, behaviour.refund);
    const word = behaviour.charge;
    if (word === "card_error" || word === "payment_error") {
      return say(response, 402, { error: { type: word, message: `no money for ${token}` } });
    }
    if (currency !== "EUR") return say(response, 402, { error: { type: "currency_error" } });
    await delay(lateMsOf(word));
    const taken = word === "less" ? amount - 1 : amount;
    if (!TAKES_NOTHING.includes(word)) ledger.charge(key, taken, currency);
    answer(response, word, { status: "succeeded", amount: taken, currency });
  }

  function lookUp(key: string, response: ServerResponse): void {
    if (canLookUp && ledger.isCharged(key)) say(response, 200, { status: "succeeded" });
    else say(response, 404, {});
  }

  function refund(key: string, response: ServerResponse): void {
    const tries = (refundTries.get(key) ?? 0) + 1;
    refundTries.set(key, tries);
    const word = tries <= WRONG_REFUNDS ? (refundBehaviours.get(key) ?? "ok") : "ok";
    if (TAKES_NOTHING.includes(word)) answer(response, word, {});
    else if (ledger.refund(key)) answer(response, word, { status: "succeeded" });
    else say(response, 404, {});
  }

  return createServer((request, response) => {
    const [, , key = "", act] = (request.url ?? "").split("/");
    request.on("error", () => {});
    if (request.url === "/health") return say(response, 200, { asked });
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
      return say(response, 401, {});
    }
    if (request.method === "GET") return lookUp(key, response);
    if (act === "refund") return refund(key, response);
    charge(request, response).catch(() => response.destroy());
  });
}

const TAKES_NOTHING = ["hang", "fail", "reset", "busy"];

function answer(response: ServerResponse, word: string, body: object): void {
  const misbehave = MISBEHAVIOURS[withoutCharge(word)];
  if (misbehave === undefined) say(response, 200, body);
  else misbehave(response);
}

const reset = (response: ServerResponse) => void response.socket?.resetAndDestroy();

const MISBEHAVIOURS: Record<string, (response: ServerResponse) => void> = {
  hang: () => {},
  fail: (response) => say(response, 500, { error: "something broke" }),
  busy: (response) => say(response, 429, {}),
  reset,
  cut(response) {
    response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
    response.write('{"status":"succ', () => reset(response));
  },
};

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
