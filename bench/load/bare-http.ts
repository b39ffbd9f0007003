/**
 * The least that an HTTP server of Node can be: it answers every request with the same bytes. Reads a
 * {@link BareAnswer} as JSON on standard input, and prints its port.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type BareAnswer = {
  /** Names and values in turn. */
  headers: string[];
  body: string;
};

const { headers, body }: BareAnswer = JSON.parse(await text(process.stdin));
const bytes = Buffer.from(body);
const server = createServer((_, response) => {
  response.writeHead(200, headers);
  response.end(bytes);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
