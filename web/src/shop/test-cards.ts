/** What a payment company's own form would give: a one-time token for the buyer's card, and its currency. */
export type Card = { token: string; currencyCode: string };

/** The sandbox takes every token but two, in euros only. */
export const TEST_CARDS = {
  works: { token: "card_works", currencyCode: "EUR" },
  declined: { token: "card_error", currencyCode: "EUR" },
  fails: { token: "payment_error", currencyCode: "EUR" },
  foreign: { token: "card_works", currencyCode: "USD" },
} as const satisfies Record<string, Card>;

export type CardName = keyof typeof TEST_CARDS;
