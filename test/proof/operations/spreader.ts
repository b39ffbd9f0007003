import { createServer, connect as dial, type Server, type Socket } from "node:net";

type Place = { host: string; port: number };

/**
 * The least that a proxy does: each connection goes to the next replica in turn, or to another one where that one
 * takes none.
 */
export class Spreader {
  readonly #at: Place;
  readonly #replicas: readonly Place[];
  readonly #open = new Set<Socket>();
  readonly #server: Server = createServer((client) => this.#take(client));
  #turn = 0;

  constructor(at: Place, replicas: readonly Place[]) {
    this.#at = at;
    this.#replicas = replicas;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#at.port, this.#at.host, resolve);
    });
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #take(client: Socket): void {
    this.#keep(client);
    const first = this.#turn++;
    const attempt = (tried: number) => {
      const replica = this.#replicas[(first + tried) % this.#replicas.length];
      if (replica === undefined || tried === this.#replicas.length) return void client.destroy();
      const server = dial(replica);
      const next = () => attempt(tried + 1);
      server.once("error", next).once("connect", () => {
        server.off("error", next);
        this.#keep(server);
        client.pipe(server).pipe(client);
        client.once("close", () => server.destroy());
        server.once("close", () => client.destroy());
      });
    };
    attempt(0);
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy()).once("close", () => this.#open.delete(socket));
  }
}
