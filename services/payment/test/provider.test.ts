import { describe, expect, test } from "vitest";
import { CardError, CurrencyError, definiteFailure, NotSentError, PaymentError } from "../provider/port.ts";
import { sandbox } from "../provider/sandbox.ts";

const charge = (token: string, currency: string, amount = 1_00n) =>
  sandbox.charge({ token, currency, amount, idempotencyKey: "key", signal: new AbortController().signal });

describe("the sandbox looks at the token first, then at the currency", () => {
  test.each([
    ["card_error", "EUR", CardError, "Your card has been declined"],
    ["card_error", "USD", CardError, "Your card has been declined"],
    ["payment_error", "EUR", PaymentError, "Something went wrong with your transaction"],
    ["payment_error", "USD", PaymentError, "Something went wrong with your transaction"],
    ["tok", "USD", CurrencyError, "Currency USD not supported"],
    ["tok", "eur", CurrencyError, "Currency eur not supported"],
    ["tok", "", CurrencyError, "Currency  not supported"],
  ])("%s in %s", async (token, currency, type, message) => {
    const error = await charge(token, currency).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(type);
    expect(error).toHaveProperty("message", message);
  });

  test.each(["tok", "CARD_ERROR", " card_error", "card_error2"])("%j is as good as a card", async (token) => {
    expect(await charge(token, "EUR", 12_34n)).toEqual({ amount: 12_34n, currency: "EUR" });
  });
});

test.each([
  [new CardError("no"), "CARD_DECLINED"],
  [new PaymentError("no"), "PAYMENT_FAILED"],
  [new CurrencyError("no"), "CURRENCY_NOT_SUPPORTED"],
  [new NotSentError("no"), "DEPENDENCY_UNAVAILABLE"],
  [new Error("Your card has been declined"), undefined],
  [new DOMException("too late", "TimeoutError"), undefined],
  [Object.assign(new Error("reset"), { code: "ECONNRESET" }), undefined],
  ["a string", undefined],
  [undefined, undefined],
])("of a charge that ends with %s is known: %s", (error, reason) => {
  expect(definiteFailure(error)).toBe(reason);
});
