export const EVENT_STATES = ["DRAFT", "PUBLISHED", "CANCELLED"] as const;

/** DRAFT → PUBLISHED → CANCELLED; a draft can be cancelled too. */
export type EventState = (typeof EVENT_STATES)[number];

/** What an operator says of an event. */
export type EventFields = {
  name: string;
  description: string;
  venue: string;
  startsAt: Date;
  /** An IANA name. */
  timeZone: string;
};

/** What an operator says of a ticket type. */
export type TicketTypeFields = {
  name: string;
  /** In lower case; empty stands for the lower-cased name. */
  category: string;
  priceMinor: bigint;
  quantity: number;
  maxPerReservation: number;
  /** Null: from publishing. */
  salesStart: Date | null;
  /** Null: until the event starts. */
  salesEnd: Date | null;
};

export type TicketType = TicketTypeFields & {
  ticketTypeId: string;
  /** The place in the event's list, from 0. */
  position: number;
};

export type Event = EventFields & {
  eventId: string;
  /** Rises with every change of the event or of one of its ticket types. */
  version: bigint;
  state: EventState;
  /** By position. */
  ticketTypes: readonly TicketType[];
};

/** What the other services hear of an event. */
export type EventHeader = Pick<Event, "eventId" | "version" | "name" | "startsAt" | "timeZone" | "state">;

export type OpenCommand = { kind: "open"; startsAt: Date; ticketTypes: readonly TicketType[] };

export type TicketTypeCommand = {
  kind: "change_ticket_type";
  ticketType: TicketType;
  /** As it was before the change; null for one that was added. */
  previous: TicketType | null;
};

/** What the sale is told of a published event, in the order of the event's versions. */
export type Command = OpenCommand | TicketTypeCommand | { kind: "close" };

/** A decided change: the event as it is afterwards, its ticket types that are new or changed, and the sale's part. */
export type Change = { event: Event; ticketTypes: readonly TicketType[]; command: Command | null };

/** The opaque text by which a caller says which version of the event they have read. */
export const etagOf = ({ version }: Pick<Event, "version">): string => String(version);

/** By this, names of an event's ticket types must differ. */
export const nameKey = (name: string): string => name.toLowerCase();
