import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { type Language, localeFor, rememberLanguage } from "./choice.ts";
import type { Messages } from "./en.ts";
import { type Formats, formatsFor } from "./formats.ts";
import { loadMessages } from "./load.ts";

/** A language whose messages are loaded. */
export type Spoken = { language: Language; messages: Messages };

type Speaking = {
  language: Language;
  /** The reader's own flavour of it, for Intl. */
  locale: string;
  t: Messages;
  format: Formats;
  choose(language: Language): void;
};

const LanguageContext = createContext<Speaking | undefined>(undefined);

export function LanguageProvider({ initial, children }: { initial: Spoken; children: ReactNode }) {
  const [spoken, setSpoken] = useState(initial);
  const { language, messages } = spoken;
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speaking = useMemo<Speaking>(() => {
    const locale = localeFor(language);
    return {
      language,
      locale,
      t: messages,
      format: formatsFor(locale, messages),
      choose(chosen) {
        rememberLanguage(chosen);
        void loadMessages(chosen).then((loaded) => setSpoken({ language: chosen, messages: loaded }));
      },
    };
  }, [language, messages]);
  return <LanguageContext value={speaking}>{children}</LanguageContext>;
}

/** What to say, and how to write numbers, prices and times, in the reader's language. */
export function useLanguage(): Speaking {
  const speaking = use(LanguageContext);
  if (speaking === undefined) throw new Error("useLanguage needs a LanguageProvider above it");
  return speaking;
}
