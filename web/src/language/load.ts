import type { Language } from "./choice.ts";
import { en, type Messages } from "./en.ts";

/** English comes with the page, and speaks where another language cannot be loaded. */
export async function loadMessages(language: Language): Promise<Messages> {
  if (language === "en") return en;
  try {
    return (await import("./de.ts")).de;
  } catch {
    return en;
  }
}
