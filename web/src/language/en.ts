import type { Cause } from "../api/refusal.ts";

/** What a message about a refusal may mention. */
export type Facts = {
  /** How many are left. */
  available: number | undefined;
  /** How many one reservation may have. */
  most: number | undefined;
  /** The name of the ticket type that it is about. */
  type: string | undefined;
  /** The time left to pay, as a clock shows it. */
  timeLeft: string | undefined;
};

/** What a person is told about a refusal: what happened, and what to do about it. */
export type Told = { title: string; advice: string };

const tickets = (count: string, isOne: boolean) => `${count} ${isOne ? "ticket" : "tickets"}`;

/** Everything that the shop says, in English. The other languages have the same keys: the types see to it. */
export const en = {
  brand: "Boxoffice",
  skipToContent: "Skip to content",
  free: "Free",
  loading: "Loading …",
  tryAgain: "Try again",
  close: "Close",
  copy: "Copy",
  copied: "Copied",
  language: "Language",
  languages: { en: "English", de: "Deutsch" },
  theme: "Colours",
  themes: { system: "As the system", light: "Light", dark: "Dark" },
  footer: "Times are those of the place where the event is. Prices include everything.",
  offline:
    "You are offline. What you see may be out of date; it goes on by itself when the connection is back.",
  reconnecting: "The box office does not answer at the moment. Trying again …",
  notFound: {
    title: "Nobody sits here",
    advice: "There is no page at this address.",
    back: "See what is on",
  },

  nav: { events: "Events", tickets: "Your tickets", operations: "Operations" },

  events: {
    title: "What’s on",
    lead: "Pick your tickets, and they are held for you while you pay.",
    search: "Search events or venues",
    clearSearch: "Clear the search",
    found: (count: string, isOne: boolean) => `${count} ${isOne ? "event" : "events"}`,
    more: "Show more events",
    empty: {
      title: "Nothing is on sale yet",
      advice: "Come back soon: the next events appear here as they are announced.",
    },
    noMatch: (query: string) => ({
      title: `Nothing found for “${query}”`,
      advice: "Try fewer words, or the name of the place.",
    }),
    from: (price: string) => `from ${price}`,
    cancelled: "Cancelled",
    soldOut: "Sold out",
    fewLeft: "Few left",
    onSaleFrom: (time: string) => `On sale from ${time}`,
    paused: "Sale paused",
    closed: "Sale over",
  },

  event: {
    back: "All events",
    tickets: "Tickets",
    cancelled: {
      title: "This event is cancelled",
      advice: "Nothing is sold any more. Whoever has paid gets the money back.",
    },
    live: "Live",
    notLive: "Refreshed every few seconds",
    status: {
      left: (count: string) => `${count} available`,
      few: (count: string) => `Only ${count} left`,
      soldOut: "Sold out",
      notYet: (time: string) => `On sale from ${time}`,
      paused: "Paused",
      closed: "Sale over",
      cancelled: "Cancelled",
    },
    /** Where nothing of the event can be bought. */
    standstill: {
      soldOut: {
        title: "Sold out",
        advice: "Tickets that others do not pay come back: this page shows them at once.",
      },
      paused: {
        title: "The sale is paused",
        advice: "It goes on shortly, and this page with it. Your choice stays here.",
      },
      closed: { title: "The sale is over", advice: "No more tickets are sold for this event." },
    },
    opensIn: "The sale opens in",
    days: (count: number) => `${count} ${count === 1 ? "day" : "days"}`,
    opensSoon: "The sale is about to open …",
    stayHere: "Stay on this page: it opens by itself.",
    quantityOf: (type: string) => `Quantity: ${type}`,
    more: (type: string) => `One more: ${type}`,
    less: (type: string) => `One less: ${type}`,
    limit: (most: string) => `At most ${most} in one order`,
    limitReached: (most: string) => `${most} is the most that one order may have`,
    fewerNow: (count: string) => `Only ${count} are left now: your choice was reduced`,
    goneNow: "These have just sold out: they were taken out of your choice",
    choose: "Choose your tickets",
    total: "Total",
    chosen: (count: string, isOne: boolean) => tickets(count, isOne),
    reserve: "Reserve",
    reserving: "Reserving …",
    heldFor: "Nothing is charged yet: your tickets are held for you while you pay.",
    contact: "Add name and e-mail (optional)",
    contactHint: "Only the box office sees them, to find your order if you ask.",
    name: "Name",
    email: "E-mail",
    emailInvalid: "This is no e-mail address.",
    pending: {
      title: "Your last order may have gone through",
      advice: "Reserve again to see: you will not get it twice.",
    },
    yourHold: {
      title: "You hold tickets for this event",
      advice: (time: string) => `Time left to pay: ${time}`,
    },
    toHold: "Go on to payment",
  },

  reservation: {
    title: "Your reservation",
    none: {
      title: "There is no reservation in this address",
      advice: "The link to a reservation ends with # and a long number. Was it cut off?",
    },
    timeLeft: "Time left to pay",
    held: "Your tickets are held",
    heldUntil: "They are yours until the time is over. You can reload or share this page.",
    hurry: "Less than a minute left.",
    items: "Tickets",
    total: "Total",
    each: (price: string) => `${price} each`,
    reference: "Reservation number",
    referenceHint: "Whoever has it can see and use this reservation: treat it like a password.",
    link: "Copy link",
    pay: {
      title: "Payment",
      sandbox: "Test mode: no money moves. Choose what the card shall do.",
      cards: {
        works: { name: "Card that works", hint: "The payment goes through" },
        declined: { name: "Card that is declined", hint: "The bank refuses it" },
        fails: { name: "Card with a fault", hint: "The payment company refuses the transaction" },
        foreign: { name: "Card in US dollars", hint: "This box office takes euros only" },
      },
      submit: (total: string) => `Pay ${total}`,
      submitFree: "Confirm",
      paying: "Paying …",
      notTwice: "Press once. Even if you press twice, you pay once.",
      slow: { title: "This takes longer than usual", advice: "Please stay: your tickets are kept." },
    },
    processing: {
      title: "Your payment is being processed",
      advice: "This usually takes a few seconds. Your tickets are kept meanwhile. Do not pay again.",
    },
    unknown: {
      title: "We are finding out about your payment",
      advice:
        "The payment company has not answered. Your tickets are kept until it is clear, and you will not be charged twice. " +
        "You may close this page: its link shows the outcome.",
    },
    paid: {
      title: "It’s yours",
      advice: "Your payment went through. Show the reservation number at the entrance.",
      print: "Print",
      more: "See what else is on",
    },
    expired: {
      title: "The time to pay is over",
      advice:
        "These tickets went back on sale, and nothing was charged. If there are some left, choose again.",
    },
    cancelled: {
      title: "This reservation is cancelled",
      advice: "The tickets went back on sale.",
    },
    refunded: {
      title: "This reservation was refunded",
      advice: "The money is on its way back to your card. The tickets are no longer valid.",
    },
    refunding: {
      title: "Your refund is under way",
      advice: "The money goes back to your card.",
    },
    again: "Choose again",
    cancel: {
      open: "Give the tickets back",
      title: "Give the tickets back?",
      advice: "They go back on sale at once, and somebody else may take them.",
      confirm: "Give back",
      keep: "Keep them",
      busy: "Giving back …",
    },
  },

  yours: {
    title: "Your tickets",
    lead: "Reservations made with this browser. Only this browser remembers them.",
    empty: {
      title: "No tickets yet",
      advice: "What you reserve with this browser appears here.",
    },
    states: {
      held: (time: string) => `Held, ${time} left to pay`,
      paying: "Being paid",
      paid: "Paid",
      expired: "Expired",
      cancelled: "Cancelled",
    },
    open: "Open",
    forget: "Forget",
    gone: "This reservation is not known any more",
  },

  /** Every reason for which something is refused. */
  refusals: {
    INVALID_REQUEST: () => ({ title: "Something in this is not right", advice: "Please check it." }),
    REQUEST_ID_REUSED: () => ({
      title: "This order was changed while it was sent",
      advice: "Please send it again.",
    }),
    CURRENCY_NOT_SUPPORTED: () => ({
      title: "This card’s currency is not taken",
      advice: "Nothing was charged. Pay with a card in euros.",
    }),
    EVENT_NOT_FOUND: () => ({ title: "There is no such event", advice: "It may have been withdrawn." }),
    TICKET_TYPE_NOT_FOUND: () => ({
      title: "These tickets are not sold any more",
      advice: "Please choose again.",
    }),
    RESERVATION_NOT_FOUND: () => ({
      title: "There is no such reservation",
      advice: "Is the link complete? It ends with # and a long number.",
    }),
    PAYMENT_NOT_FOUND: () => ({ title: "There is no such payment", advice: "Please check the number." }),
    SOLD_OUT: ({ available, type }) => ({
      title: available
        ? `Only ${available} left${type ? `: ${type}` : ""}`
        : `Sold out${type ? `: ${type}` : ""}`,
      advice: available
        ? "Others were quicker. Take fewer, or another type of ticket."
        : "Others were quicker. Tickets that are not paid come back: looking again in a few minutes may help.",
    }),
    LIMIT_EXCEEDED: ({ most }) => ({
      title: most ? `One order may have at most ${most} of these` : "These are too many for one order",
      advice: "Please take fewer.",
    }),
    SALES_NOT_OPEN: () => ({
      title: "The sale has not opened yet",
      advice: "This page tells when it does, and opens by itself.",
    }),
    SALES_CLOSED: () => ({ title: "The sale is over", advice: "No more tickets are sold for this." }),
    SALES_PAUSED: () => ({
      title: "The sale is paused",
      advice: "It goes on shortly. Your choice stays here.",
    }),
    EVENT_CANCELLED: () => ({ title: "This event is cancelled", advice: "Nothing is sold any more." }),
    EVENT_NOT_DRAFT: () => ({ title: "This event is published", advice: "Only drafts can be changed so." }),
    RESERVATION_EXPIRED: () => ({
      title: "The time to pay is over",
      advice: "Nothing was charged. If there are tickets left, choose again.",
    }),
    RESERVATION_EXPIRING: () => ({
      title: "Too little time was left to pay",
      advice: "Nothing was charged. If there are tickets left, choose again.",
    }),
    RESERVATION_CANCELLED: () => ({
      title: "This reservation is cancelled",
      advice: "Nothing was charged.",
    }),
    PAYMENT_IN_PROGRESS: () => ({
      title: "A payment is under way already",
      advice: "Wait for it: you will not be charged twice.",
    }),
    CARD_DECLINED: ({ timeLeft }) => ({
      title: "Your card was declined",
      advice: `Nothing was charged. Try another card, or ask your bank. Your tickets are still held${timeLeft ? `, ${timeLeft} left` : ""}.`,
    }),
    PAYMENT_FAILED: ({ timeLeft }) => ({
      title: "The payment did not work",
      advice: `Nothing was charged. Try again, or use another card. Your tickets are still held${timeLeft ? `, ${timeLeft} left` : ""}.`,
    }),
    PAYMENT_NOT_UNKNOWN: () => ({
      title: "The outcome of this payment is known",
      advice: "There is nothing to settle.",
    }),
    PAYMENT_NOT_REFUNDABLE: () => ({
      title: "This payment cannot be refunded",
      advice: "Only a payment that succeeded can be.",
    }),
    QUANTITY_BELOW_RESERVED: () => ({
      title: "More than that are reserved already",
      advice: "The quantity cannot go below what is held and paid.",
    }),
    RESERVATION_ALREADY_PAID: () => ({
      title: "This is paid already",
      advice: "You are not charged a second time.",
    }),
    VERSION_CONFLICT: () => ({
      title: "Somebody else changed this meanwhile",
      advice: "Look at it as it is now, and try again.",
    }),
    UNAUTHENTICATED: () => ({
      title: "Please sign in",
      advice: "This needs an operator’s token that is valid.",
    }),
    PERMISSION_DENIED: () => ({ title: "You may not do this", advice: "It takes an operator’s token." }),
    RATE_LIMITED: () => ({
      title: "That was a lot at once",
      advice: "Please wait a few seconds and try again.",
    }),
    OVERLOADED: () => ({
      title: "Very many people are here just now",
      advice: "Your order was not taken. Try again: it cannot be made twice.",
    }),
    DEPENDENCY_UNAVAILABLE: () => ({
      title: "The box office cannot do this just now",
      advice: "Nothing was charged, and what you hold stays held. Try again shortly.",
    }),
    UNREACHABLE: () => ({
      title: "The box office could not be reached",
      advice: "Check your connection and try again: nothing is bought twice.",
    }),
    UNEXPECTED: () => ({
      title: "Something went wrong on our side",
      advice: "Try again: nothing is bought twice.",
    }),
  } satisfies Record<Cause, (facts: Facts) => Told>,
};

export type Messages = Omit<typeof en, "refusals"> & { refusals: Record<Cause, (facts: Facts) => Told> };
