import { useId } from "react";
import { useLanguage } from "../language/language.tsx";

export type ContactDetails = { name: string; email: string };

/** Who the buyer is, for those who want to say it. */
export function Contact({
  details,
  onChange,
}: {
  details: ContactDetails;
  onChange(details: ContactDetails): void;
}) {
  const { t } = useLanguage();
  const nameId = useId();
  const emailId = useId();
  return (
    <details className="contact">
      <summary>{t.event.contact}</summary>
      <div className="fields">
        <label htmlFor={nameId}>{t.event.name}</label>
        <input
          id={nameId}
          autoComplete="name"
          maxLength={200}
          value={details.name}
          onChange={(event) => onChange({ ...details, name: event.target.value })}
        />
        <label htmlFor={emailId}>{t.event.email}</label>
        <input
          id={emailId}
          type="email"
          autoComplete="email"
          maxLength={254}
          value={details.email}
          onChange={(event) => onChange({ ...details, email: event.target.value })}
        />
        <p className="hint">{t.event.contactHint}</p>
      </div>
    </details>
  );
}
