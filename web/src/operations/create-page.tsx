import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { type FormEvent, useRef, useState } from "react";
import { useLocation } from "wouter";
import { newRequestId } from "../api/request-id.ts";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTitle } from "../ui/use-title.ts";
import { type DraftFault, type EventDraft, eventOf, type TypeDraft } from "./event-draft.ts";
import { Field } from "./field.tsx";
import { TypeFields } from "./type-fields.tsx";
import { useAct } from "./use-act.ts";
import { useWords } from "./use-words.ts";

const MOST_TYPES = 100;
const ZONES = Intl.supportedValuesOf("timeZone");

/** Makes a draft of an event. */
export function CreatePage() {
  const { t } = useLanguage();
  const { create: say } = useWords();
  const [, navigate] = useLocation();
  const keys = useRef(1);
  const [draft, setDraft] = useState<EventDraft>(emptyDraft);
  const [fault, setFault] = useState<DraftFault | undefined>();
  // One draft is made of this form, however often it is sent.
  const [requestId, setRequestId] = useState(newRequestId);
  const act = useAct(CatalogService.method.createEvent, () => undefined);
  useTitle(say.title);

  const change = (changed: Partial<EventDraft>) => {
    setDraft((before) => ({ ...before, ...changed }));
    setFault(undefined);
    if (act.isError) {
      act.reset();
      setRequestId(newRequestId());
    }
  };
  const changeType = (key: number, changed: Partial<TypeDraft>) =>
    change({ types: draft.types.map((type) => (type.key === key ? { ...type, ...changed } : type)) });
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    const event = eventOf(draft);
    if (typeof event === "string") return setFault(event);
    act.mutate(
      { event, requestId },
      { onSuccess: ({ event: made }) => made && navigate(`/operations/events/${made.eventId}`) },
    );
  };
  const told = act.error ? explain(t, act.error) : undefined;

  return (
    <form className="create" onSubmit={submit}>
      <div className="intro">
        <h1>{say.title}</h1>
        <p>{say.lead}</p>
      </div>
      <fieldset className="panel fields" disabled={act.isPending}>
        <legend>{say.about}</legend>
        <Field
          label={say.name}
          required
          maxLength={200}
          value={draft.name}
          onValue={(name) => change({ name })}
        />
        <Field
          label={say.venue}
          required
          maxLength={200}
          value={draft.venue}
          onValue={(venue) => change({ venue })}
        />
        <div className="field-line">
          <Field
            label={say.date}
            required
            type="date"
            value={draft.date}
            onValue={(date) => change({ date })}
          />
          <Field
            label={say.time}
            required
            type="time"
            value={draft.time}
            onValue={(time) => change({ time })}
          />
          <Field
            label={say.timeZone}
            required
            value={draft.timeZone}
            options={ZONES}
            onValue={(timeZone) => change({ timeZone })}
          />
        </div>
        <Field
          label={say.description}
          isLong
          maxLength={10_000}
          value={draft.description}
          onValue={(description) => change({ description })}
        />
      </fieldset>
      {draft.types.map((type, index) => (
        <TypeFields
          key={type.key}
          type={type}
          number={index + 1}
          isBusy={act.isPending}
          onChange={(changed) => changeType(type.key, changed)}
          onRemove={
            draft.types.length > 1
              ? () => change({ types: draft.types.filter(({ key }) => key !== type.key) })
              : undefined
          }
        />
      ))}
      {fault && <Notice kind="error" title={say[fault]} />}
      {told && (
        <Notice kind="error" title={told.title} advice={told.advice}>
          {told.refusal.fields.length > 0 && (
            <ul>
              {told.refusal.fields.map(({ field, description }) => (
                <li key={field}>
                  {field}: {description}
                </li>
              ))}
            </ul>
          )}
        </Notice>
      )}
      <div className="acts">
        <button
          type="button"
          className="button"
          disabled={draft.types.length >= MOST_TYPES}
          onClick={() => change({ types: [...draft.types, emptyType(keys.current++)] })}
        >
          {say.addType}
        </button>
        <button type="submit" className="button button-main" disabled={act.isPending}>
          {act.isPending ? say.busy : say.submit}
        </button>
      </div>
    </form>
  );
}

function emptyDraft(): EventDraft {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return { name: "", description: "", venue: "", date: "", time: "20:00", timeZone, types: [emptyType(0)] };
}

function emptyType(key: number): TypeDraft {
  return { key, name: "", category: "", price: "", quantity: "", most: "10", salesStart: "" };
}
