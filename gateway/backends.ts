import { isRefusal } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { createGrpcTransport, type GrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import { NO_TLS, type Tls } from "@boxoffice/platform/tls.ts";
import { Health } from "@boxoffice/proto/grpc/health/v1/health_pb.ts";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { DEFAULT_TIMEOUT_MS } from "./call.ts";
import { BACKENDS, type BackendName } from "./routes.ts";

/** How often each service is asked whether it is there, and how long it may take to answer, in milliseconds. */
const ASK_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 1000;

/** How long a gateway that has just started waits to meet every service, in milliseconds. */
const MEET_WITHIN_MS = 10_000;
const MEET_EVERY_MS = 100;

/** The services behind the gateway: the connections to them, and which of them answer. */
export class Backends {
  readonly transports: Readonly<Record<BackendName, GrpcTransport>>;
  readonly #answering = new Set<BackendName>();
  readonly #silent = new Set<BackendName>();
  readonly #met = new Set<BackendName>();
  readonly #runtime: Runtime;
  readonly #startedAtMs: number;
  readonly #log: Logger;

  /** @param addresses `host:port` of each service */
  constructor(
    addresses: Readonly<Record<BackendName, string>>,
    runtime: Runtime,
    log: Logger,
    tls: Tls = NO_TLS,
  ) {
    const connect = (name: BackendName) =>
      createGrpcTransport(addresses[name], { defaultTimeoutMs: DEFAULT_TIMEOUT_MS, tls });
    this.transports = {
      catalog: connect("catalog"),
      reservation: connect("reservation"),
      payment: connect("payment"),
      stats: connect("stats"),
    };
    this.#runtime = runtime;
    this.#startedAtMs = runtime.nowMs();
    this.#log = log;
  }

  /**
   * Whether requests should be sent here: when at least one service answers. One that says it cannot serve has
   * answered: what it says to buyers is more use to them than a gateway that nobody sends requests to. After a
   * start, every service is waited for a while: until the first connection stands, calls would fail.
   */
  get isReady(): boolean {
    if (this.#isStarting && this.#met.size < BACKENDS.length) return false;
    return this.#answering.size > 0;
  }

  /** Asks every service again and again, until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all(
      BACKENDS.map(async (name) => {
        while (!signal.aborted) {
          const isAnswering = await answers(this.transports[name], signal);
          if (!signal.aborted) this.#note(name, isAnswering);
          await this.#runtime.sleep(this.#met.has(name) ? ASK_EVERY_MS : MEET_EVERY_MS, signal);
        }
      }),
    );
  }

  close(): void {
    for (const transport of Object.values(this.transports)) transport.close();
  }

  get #isStarting(): boolean {
    return this.#runtime.nowMs() - this.#startedAtMs < MEET_WITHIN_MS;
  }

  #note(name: BackendName, isAnswering: boolean): void {
    const [before, now] = isAnswering ? [this.#silent, this.#answering] : [this.#answering, this.#silent];
    const isAwaited = this.#isStarting && !this.#met.has(name);
    if (now.has(name) || (!isAnswering && isAwaited)) return;
    before.delete(name);
    now.add(name);
    if (isAnswering) this.#met.add(name);
    if (isAnswering) this.#log.info({ backend: name }, "a service answers");
    else this.#log.warn({ backend: name }, "a service does not answer");
  }
}

async function answers(transport: Transport, signal: AbortSignal): Promise<boolean> {
  try {
    await createClient(Health, transport).check({}, { timeoutMs: ANSWER_WITHIN_MS, signal });
    return true;
  } catch (error) {
    const isLate = error instanceof ConnectError && error.code === Code.DeadlineExceeded;
    return !isLate && !isRefusal(error, "DEPENDENCY_UNAVAILABLE");
  }
}
