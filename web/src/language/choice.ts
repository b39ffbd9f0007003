import { keep, kept } from "../ui/kept.ts";

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "boxoffice.language";

/** The language that was chosen here, or the first of the browser's that these pages speak, or English. */
export function chooseLanguage(): Language {
  const wanted = [kept("local", KEY) ?? "", ...navigator.languages];
  for (const tag of wanted) {
    const language = LANGUAGES.find((known) => tag.toLowerCase().split("-")[0] === known);
    if (language !== undefined) return language;
  }
  return "en";
}

export function rememberLanguage(language: Language): void {
  keep("local", KEY, language);
}

/** The reader's own flavour of a language, for dates and prices: "en-US" for who reads English and lives there. */
export function localeFor(language: Language): string {
  const own = navigator.languages.find((tag) => tag.toLowerCase().startsWith(`${language}-`));
  return own ?? DEFAULT_LOCALES[language];
}

const DEFAULT_LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", de: "de-DE" };
