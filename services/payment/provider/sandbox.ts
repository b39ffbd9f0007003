import {
  CardError,
  type ChargeRequest,
  CurrencyError,
  PaymentError,
  type PaymentProvider,
  type PaymentResult,
} from "./port.ts";

const SUPPORTED_CURRENCIES: readonly string[] = ["EUR"];

/** A provider that moves no money. Two tokens make it fail, every other one is as good as a card. */
export const sandbox: PaymentProvider = {
  async charge({ amount, token, currency }: ChargeRequest): Promise<PaymentResult> {
    switch (token) {
      case "card_error":
        throw new CardError("Your card has been declined");
      case "payment_error":
        throw new PaymentError("Something went wrong with your transaction");
    }
    if (!SUPPORTED_CURRENCIES.includes(currency)) {
      throw new CurrencyError(`Currency ${currency} not supported`);
    }
    return { amount, currency };
  },

  /** No money moved, so all of it is back. It keeps no books, and so has no look-up. */
  async refund(): Promise<void> {},
};
