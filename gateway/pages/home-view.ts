import { type Event, EventState, type TicketType } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { Money } from "@boxoffice/proto/boxoffice/common/v1/money_pb.ts";
import {
  AvailabilityStatus,
  type TicketTypeAvailability,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Html, html } from "./html.ts";
import { message, type Page, page } from "./page.ts";

/** An event, and what is left of its tickets; undefined where that is not known at the moment. */
export type EventOnSale = { event: Event; availability: TicketTypeAvailability[] | undefined };

const HEADING = "What’s on";

/** Few are left when no more than one in ten is. */
const FEW_DIVISOR = 10;

/** The page that lists events. */
export function renderHome(events: EventOnSale[]): Page {
  const content =
    events.length === 0
      ? message(
          "Nothing is on sale yet",
          "Come back soon: the next events appear here as they are announced.",
        )
      : html`<ul class="events">${events.map(renderEvent)}</ul>`;
  return page(200, HEADING, content);
}

/** The page for when the services that know the events do not answer. */
export function renderUnavailable(): Page {
  const content = message(
    "The box office is closed for a moment",
    "Please load this page again in a few seconds.",
  );
  return page(503, HEADING, content);
}

function renderEvent({ event, availability }: EventOnSale): Html {
  const isCancelled = event.state === EventState.CANCELLED;
  return html`
<li class="event${isCancelled ? " cancelled" : ""}">
${event.startsAt && renderTime(event.startsAt, event.timeZone)}
<h2 dir="auto">${event.name}</h2>
<p class="venue" dir="auto">${event.venue}</p>
${event.description === "" ? undefined : html`<p class="description" dir="auto">${event.description}</p>`}
${isCancelled ? html`<p class="notice">This event is cancelled.</p>` : undefined}
<ul class="types">${event.ticketTypes.map((type) => renderType(type, event, availability))}</ul>
</li>`;
}

function renderType(
  type: TicketType,
  event: Event,
  availability: TicketTypeAvailability[] | undefined,
): Html {
  const left = availability?.find(({ ticketTypeId }) => ticketTypeId === type.ticketTypeId);
  const { kind, text } = describeState(event, left);
  return html`
<li><span class="name" dir="auto">${type.name}</span><span class="price">${type.price && formatPrice(type.price)}</span>
<span class="state ${kind}">${text}</span></li>`;
}

type State = { kind: "left" | "few" | "none"; text: string };

function describeState(event: Event, left: TicketTypeAvailability | undefined): State {
  if (event.state === EventState.CANCELLED) return { kind: "none", text: "Cancelled" };
  switch (left?.status) {
    case AvailabilityStatus.ON_SALE:
      return describeLeft(left);
    case AvailabilityStatus.NOT_YET: {
      const from = left.salesStart && ` from ${formatTime(left.salesStart, event.timeZone)}`;
      return { kind: "none", text: `On sale${from ?? " later"}` };
    }
    case AvailabilityStatus.SOLD_OUT:
      return { kind: "none", text: "Sold out" };
    case AvailabilityStatus.PAUSED:
      return { kind: "none", text: "The sale is paused" };
    case AvailabilityStatus.CLOSED:
      return { kind: "none", text: "The sale is over" };
    case AvailabilityStatus.CANCELLED:
      return { kind: "none", text: "Cancelled" };
    default:
      return { kind: "none", text: "How many are left is not known at the moment" };
  }
}

function describeLeft({ available, quantity }: TicketTypeAvailability): State {
  const count = new Intl.NumberFormat(LOCALE).format(available);
  if (available * FEW_DIVISOR <= quantity) return { kind: "few", text: `Only ${count} left` };
  return { kind: "left", text: `${count} left` };
}

function renderTime(time: Timestamp, timeZone: string): Html {
  return html`<time datetime="${timestampDate(time).toISOString()}">${formatTime(time, timeZone)}</time>`;
}

/** English with the day before the month, and the clock of 24 hours. */
const LOCALE = "en-GB";

function formatTime(time: Timestamp, timeZone: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone: isTimeZone(timeZone) ? timeZone : "UTC",
  }).format(timestampDate(time));
}

function formatPrice({ currencyCode, minorUnits }: Money): string {
  const price = new Intl.NumberFormat(LOCALE, { style: "currency", currency: currencyCode });
  return minorUnits === 0n ? "free" : price.format(Number(minorUnits) / 100);
}

/** Node may know fewer zones than whoever stored this one. */
function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat(LOCALE, { timeZone });
    return true;
  } catch {
    return false;
  }
}
