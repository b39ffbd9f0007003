import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** One connection through a proxy: `client` is the side that connected to it. */
export type Link = { client: Socket; server: Socket };

/**
 * What to do with bytes that came from one side: true passes them on to the other. Whoever says false has them, and
 * may write to either side by hand.
 */
export type Valve = (chunk: Buffer, link: Link) => boolean;

/**
 * Stands between two processes, and passes on what they say, or not: a network that can be cut, or that loses just
 * the bytes that matter.
 */
export class FaultProxy {
  /** Asked about everything that comes from the client's side. */
  fromClient: Valve = () => true;
  /** Asked about everything that comes from the server's side. */
  fromServer: Valve = () => true;
  readonly #target: { host: string; port: number };
  readonly #links = new Set<Link>();
  #server: Server | undefined;
  #port = 0;
  #isCut = false;
  #isSilent = false;

  /** @param target `host:port` */
  constructor(target: string) {
    const [host = "", port = ""] = target.split(":");
    this.#target = { host, port: Number(port) };
  }

  /** Listens on a free port of this machine. */
  async start(): Promise<void> {
    const server = createServer((client) => this.#join(client));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  /** Where clients connect to, instead of to the target. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Breaks every connection, and refuses new ones until {@link heal}. */
  cut(): void {
    this.#isCut = true;
    for (const link of this.#links) this.sever(link);
  }

  /** Loses every byte that is under way from now on, as a broken cable does, until {@link heal}: who waits, waits. */
  silence(): void {
    this.#isSilent = true;
    for (const { client, server } of this.#links) for (const side of [client, server]) side.pause();
  }

  /** What was lost in the silence is sent again, as TCP does. */
  heal(): void {
    this.#isCut = false;
    this.#isSilent = false;
    for (const { client, server } of this.#links) for (const side of [client, server]) side.resume();
  }

  /** Breaks one connection, as a network does: neither side hears a farewell. */
  sever({ client, server }: Link): void {
    client.resetAndDestroy();
    server.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.cut();
    const server = this.#server;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    const link: Link = { client, server: dial(this.#target) };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      link.server.destroy();
    };
    for (const side of [client, link.server]) side.setNoDelay(true).on("error", end).on("close", end);
    this.#pass(client, link.server, (chunk) => this.fromClient(chunk, link));
    this.#pass(link.server, client, (chunk) => this.fromServer(chunk, link));
    if (this.#isSilent) this.silence();
  }

  #pass(from: Socket, to: Socket, mayPass: (chunk: Buffer) => boolean): void {
    from.on("data", (chunk: Buffer) => {
      if (!mayPass(chunk) || to.destroyed) return;
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => {
          if (!this.#isSilent) from.resume();
        });
      }
    });
  }
}
