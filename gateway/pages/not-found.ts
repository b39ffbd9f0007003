import { html } from "./html.ts";
import { message, type Page, page } from "./page.ts";

/** For an address that leads nowhere. */
export function notFoundPage(): Page {
  const content = message("Nobody sits here", html`<a href="/">See what is on sale</a>`);
  return page(404, "There is nothing at this address", content);
}
