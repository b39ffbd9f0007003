import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  CardError,
  type ChargeRequest,
  CurrencyError,
  PaymentError,
  type PaymentProvider,
  type PaymentResult,
  TurnedAwayError,
} from "./port.ts";
import { type Answer, type Sending, send } from "./send.ts";

export type HttpProviderOptions = {
  /** Of the charge API: what comes before `/charges`. */
  url: string;
  /** Shown as a bearer token, where the API wants one. */
  apiKey?: string | undefined;
};

/** A connection that was idle for longer is not used again: the other side may be closing it at this moment. */
const IDLE_MS = 4_000;

/**
 * A payment company's charge API over HTTP:
 *
 *     POST /charges               { amount, currency, token }, Idempotency-Key: the payment's id
 *     GET  /charges/<key>         what became of it
 *     POST /charges/<key>/refund  gives all of it back, once
 *
 * A charge is answered with 200 and `{ status: "succeeded", amount, currency }`, or with 402 and an error of a known
 * type. 401, 403 and 429 say that nothing was looked at. Whatever else comes back leaves the outcome unknown, as
 * port.ts has it.
 */
export function httpProvider({ url, apiKey }: HttpProviderOptions): PaymentProvider {
  const base = new URL(url.endsWith("/") ? url : `${url}/`);
  const agentOptions = { keepAlive: true, timeout: IDLE_MS };
  const agent = base.protocol === "https:" ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

  const call = async (sending: Sending) => {
    const headers = { accept: "application/json", ...authorization, ...sending.headers };
    const answer = await send(base, agent, { ...sending, headers });
    if (TURNED_AWAY.includes(answer.status))
      throw new TurnedAwayError(`the provider answered ${answer.status}`);
    return answer;
  };

  return {
    async charge({ amount, currency, token, idempotencyKey, signal }: ChargeRequest): Promise<PaymentResult> {
      const answer = await call({
        method: "POST",
        path: "charges",
        headers: { "idempotency-key": idempotencyKey },
        body: { amount: Number(amount), currency, token },
        signal,
      });
      if (answer.status === 402) throw refusalOf(answer);
      const { status, amount: charged, currency: inCurrency } = expectOk(answer);
      if (status !== "succeeded" || !Number.isSafeInteger(charged)) throw new UnclearError("no clear answer");
      return { amount: BigInt(Number(charged)), currency: String(inCurrency) };
    },

    async lookup(idempotencyKey, signal) {
      const answer = await call({ method: "GET", path: `charges/${idempotencyKey}`, signal });
      if (answer.status === 404) return "not_found";
      const { status } = expectOk(answer);
      if (status === "succeeded") return "charged";
      return status === "failed" ? "failed" : "not_found"; // it may be on its way
    },

    async refund(idempotencyKey, signal) {
      const answer = await call({ method: "POST", path: `charges/${idempotencyKey}/refund`, signal });
      if (answer.status === 402 || answer.status === 404) throw new PaymentError("the refund was refused");
      if (expectOk(answer).status !== "succeeded") throw new UnclearError("the refund is on its way");
    },
  };
}

/** The request was turned away before anybody looked at it: who are you, you may not, you are too many. */
const TURNED_AWAY: readonly number[] = [401, 403, 429];

const REFUSALS: Readonly<Record<string, new (message: string) => Error>> = {
  card_error: CardError,
  payment_error: PaymentError,
  currency_error: CurrencyError,
};

/** An answer that says neither yes nor no. */
class UnclearError extends Error {
  override readonly name = "UnclearError";
}

function refusalOf({ body }: Answer): Error {
  const type = isRecord(body.error) ? String(body.error.type) : "";
  const Refusal = Object.hasOwn(REFUSALS, type) ? REFUSALS[type] : undefined;
  return Refusal
    ? new Refusal("refused by the provider")
    : new UnclearError("a refusal without a known type");
}

function expectOk({ status, body }: Answer): Record<string, unknown> {
  if (status === 200 || status === 201) return body;
  throw new UnclearError(`the provider answered ${status}`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
