import type { Language } from "./choice.ts";
import type { Messages } from "./en.ts";

/** Nobody loads a language that they do not read. English speaks where another cannot be loaded. */
export async function loadMessages(language: Language): Promise<Messages> {
  if (language === "de") {
    try {
      return (await import("./de.ts")).de;
    } catch {
      // the files of an older build may be gone, and English is in one that is asked for next
    }
  }
  return (await import("./en.ts")).en;
}
