/** The answers of the box office as JSON has them: int64 is a string, a time is RFC 3339. */

export type Money = { currencyCode: string; minorUnits: string };

export type TicketType = {
  ticketTypeId: string;
  name: string;
  category: string;
  price: Money;
  quantity: number;
  maxPerReservation: number;
};

export type Event = {
  eventId: string;
  name: string;
  description: string;
  venue: string;
  startsAt: string;
  timeZone: string;
  state: string;
  ticketTypes: TicketType[];
  etag: string;
  changePending: boolean;
};

export type Availability = {
  eventId: string;
  ticketTypes: { ticketTypeId: string; name: string; available: number; quantity: number; status: string }[];
  asOf: string;
};

export type Reservation = {
  reservationId: string;
  eventId: string;
  state: string;
  items: { ticketTypeId: string; quantity: number; unitPrice: Money }[];
  total: Money;
  createTime: string;
  expireTime: string;
  expiresIn?: string;
  paymentId: string;
  customer?: { name: string; email: string };
};

export type Payment = {
  paymentId: string;
  reservationId: string;
  state: string;
  amount: Money;
  failureReason: string;
};

/** Counts of tickets, which an event, a ticket type, a category and the overview have in common. */
export type Counts = {
  reserved: string;
  held: string;
  paid: string;
  expired: string;
  cancelled: string;
  refunded: string;
  available: string;
  quantity: string;
  revenue: Money;
};

export type ReservationCounts = {
  held: string;
  paid: string;
  expired: string;
  cancelled: string;
  everPaid: string;
  conversion: number;
};

export type Failures = { reason: string; count: string }[];

export type EventStats = Counts & {
  name: string;
  reservations: ReservationCounts;
  paymentFailures: Failures;
  ticketTypes: (Counts & { ticketTypeId: string; name: string; category: string })[];
};

export type Overview = Counts & {
  events: string;
  reservations: ReservationCounts;
  paymentFailures: Failures;
};
