import { createHash } from "node:crypto";
import type { Exchange } from "../exchange.ts";
import { Html, html } from "./html.ts";
import { STYLE } from "./style.ts";

/** A page for people, and the status it is sent with. */
export type Page = { status: number; html: string };

/** A whole document around the content of `<main>`. */
export function page(status: number, heading: string, content: Html): Page {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading} · Boxoffice</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%239d2a1f' d='M1 4h14v3a1.5 1.5 0 0 0 0 3v3H1v-3a1.5 1.5 0 0 0 0-3z'/%3E%3C/svg%3E">
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<p class="brand">Boxoffice</p>
<h1>${heading}</h1>
</header>
<main>
${content}
</main>
<footer>Times are those of the place where the event is. Prices are in euros.</footer>
</body>
</html>
`;
  return { status, html: text };
}

/** A box with a heading and a sentence, where there is nothing else to show. */
export function message(title: string, text: string | Html): Html {
  return html`<div class="message"><h2>${title}</h2><p>${text}</p></div>`;
}

/** Sends a page. Nothing that it might hold could run or load anything: see the policy. */
export function sendPage(exchange: Exchange, { status, html: text }: Page): void {
  const length = String(Buffer.byteLength(text));
  exchange.send(status, [...PAGE_HEADERS, "content-length", length], text);
}

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE_HEADERS = [
  "content-type",
  "text/html; charset=utf-8",
  "content-security-policy",
  POLICY,
  "referrer-policy",
  "no-referrer",
];
