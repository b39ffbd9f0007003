import { createServer } from "node:http";

/** A span as an OTLP collector gets it, with the process that it is of. */
export type CollectedSpan = {
  process: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  links: { traceId: string; spanId: string }[];
};

/** Takes what an OTLP exporter sends as JSON. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  /** Everything that was sent, as it came. */
  readonly bodies: string[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      this.#take(Buffer.concat(chunks).toString());
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });

  /** @returns what OTEL_EXPORTER_OTLP_ENDPOINT is to be */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take(body: string): void {
    this.bodies.push(body);
    for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
      const named = resource.attributes.find(({ key }: { key: string }) => key === "service.name");
      for (const { spans } of scopeSpans) {
        for (const { traceId, spanId, parentSpanId = "", name, links = [] } of spans)
          this.spans.push({ process: named.value.stringValue, traceId, spanId, parentSpanId, name, links });
      }
    }
  }
}
