import type { Language } from "../language/choice.ts";
import { useLanguage } from "../language/language.tsx";
import { de } from "../language/operations/de.ts";
import { en, type OperationsWords } from "../language/operations/en.ts";

const WORDS: Readonly<Record<Language, OperationsWords>> = { en, de };

/** What the operations pages say, in the reader's language, beside what {@link useLanguage} gives. */
export function useWords(): OperationsWords {
  return WORDS[useLanguage().language];
}
