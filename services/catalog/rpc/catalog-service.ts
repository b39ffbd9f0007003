import { listAuditEntries } from "@boxoffice/platform/audit.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import { parseId, parseOptionalTime } from "@boxoffice/platform/parse.ts";
import { actOf, callerOf } from "@boxoffice/platform/rpc/access.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { HandlerContext } from "@connectrpc/connect";
import type { Completer } from "../completer.ts";
import {
  addTicketType,
  cancelEvent,
  publishEvent,
  updateEvent,
  updateTicketType,
} from "../domain/changes.ts";
import { EVENT_STATES } from "../domain/event.ts";
import { type Changed, changeEvent, createDraft } from "../store/change.ts";
import { getEvent, listEvents } from "../store/read.ts";
import { toEventMessage } from "./messages.ts";
import {
  parseEvent,
  parseEventPatch,
  parseRequest,
  parseStates,
  parseTicketType,
  parseTicketTypePatch,
  parseWords,
  visibleStates,
} from "./parse.ts";

export type CatalogServiceOptions = {
  database: Database;
  completer: Pick<Completer, "deliver">;
  newId: () => string;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
};

/** What is on, and what operators do about it. */
export function catalogService(options: CatalogServiceOptions): RpcService {
  const { database, completer, newId, onCommit } = options;

  /** Answers when the sale has heard of the change, or takes too long to. */
  async function answer(changed: Changed) {
    onCommit();
    const { event, commandVersion } = changed;
    if (commandVersion === undefined) return { event: toEventMessage(changed) };
    await completer.deliver(event.eventId, commandVersion);
    // Read again, because another change on which this one was built may have been taken back meanwhile.
    return { event: toEventMessage(await getEvent(database, event.eventId, EVENT_STATES)) };
  }

  return service(CatalogService, {
    async getEvent(request, context) {
      const states = visibleStates(isOperator(context));
      return { event: toEventMessage(await getEvent(database, parseId(request.eventId), states)) };
    },

    async listEvents(request, context) {
      const { size, after } = parsePage(request, MILLISECONDS, sortKey.id);
      const filter = {
        words: parseWords(request.query),
        startsAfter: parseOptionalTime("starts_after", request.startsAfter),
        states: parseStates(request.states, visibleStates(isOperator(context))),
      };
      const last = after && { startsAt: new Date(Number(after[0])), eventId: after[1] };
      const events = await listEvents(database, filter, last, size + 1);
      const { page, nextPageToken } = cutPage(events, size, ({ event }) => [
        String(event.startsAt.getTime()),
        event.eventId,
      ]);
      return { events: page.map(toEventMessage), nextPageToken };
    },

    async createEvent(request, context) {
      const message = required(request.event);
      const content = {
        ...parseEvent(message),
        ticketTypes: message.ticketTypes.map((type, index) =>
          parseTicketType(`event.ticket_types[${index}]`, type),
        ),
      };
      const draft = {
        ...content,
        eventId: newId(),
        ticketTypes: content.ticketTypes.map((type) => ({ ...type, ticketTypeId: newId() })),
      };
      const id = parseRequest(request.requestId, { method: "CreateEvent", ...content });
      const stored = await createDraft({ database, newId }, draft, actOf(context, request.reason), id);
      onCommit();
      return { event: toEventMessage(stored) };
    },

    async updateEvent(request, context) {
      const patch = parseEventPatch(required(request.event), required(request.updateMask));
      return answer(
        await changeEvent(
          { database, newId },
          parseId(request.eventId),
          (event, now) => updateEvent(event, patch, request.etag, now),
          actOf(context, request.reason),
        ),
      );
    },

    async publishEvent(request, context) {
      const act = actOf(context, request.reason);
      return answer(await changeEvent({ database, newId }, parseId(request.eventId), publishEvent, act));
    },

    async cancelEvent(request, context) {
      const act = actOf(context, request.reason);
      return answer(await changeEvent({ database, newId }, parseId(request.eventId), cancelEvent, act));
    },

    async addTicketType(request, context) {
      const eventId = parseId(request.eventId);
      const content = parseTicketType("ticket_type", required(request.ticketType));
      const added = { ...content, ticketTypeId: newId() };
      const id = parseRequest(request.requestId, { method: "AddTicketType", eventId, ...content });
      return answer(
        await changeEvent(
          { database, newId },
          eventId,
          (event) => addTicketType(event, added),
          actOf(context, request.reason),
          id,
        ),
      );
    },

    async updateTicketType(request, context) {
      const ticketTypeId = parseId(request.ticketTypeId);
      const patch = parseTicketTypePatch(required(request.ticketType), required(request.updateMask));
      return answer(
        await changeEvent(
          { database, newId },
          parseId(request.eventId),
          (event) => updateTicketType(event, ticketTypeId, patch, request.etag),
          actOf(context, request.reason),
        ),
      );
    },

    listAuditEntries: (request) => listAuditEntries(database, "catalog", request),
  });
}

/** A time in a page's token: milliseconds since the epoch, so that no text of these digits is an invalid time. */
const MILLISECONDS = /^\d{1,13}$/;

const isOperator = (context: HandlerContext): boolean => callerOf(context).kind === "operator";

/** The contract's rules say that it is set. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the contract's rules let no request without it through");
  return value;
}
