import {
  AckPolicy,
  type ConnectionOptions,
  type ConsumerMessages,
  connect,
  DeliverPolicy,
  Events,
  type JetStreamManager,
  type JsMsg,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
  type Subscription,
} from "nats";
import { setting } from "./config.ts";
import type { Logger } from "./log.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";

/** Where NATS is, and how connections to it are secured where `NATS_URL` begins with `tls://`. */
export const busSettings = {
  NATS_URL: setting.url("nats:", "tls:"),
  NATS_CA_FILE: setting.text().optional(),
  NATS_CERT_FILE: setting.text().optional(),
  NATS_KEY_FILE: setting.text().optional(),
};

export type BusOptions = {
  /** With the user's name and password, where the server asks for them. */
  url: string;
  tls?: BusTls | undefined;
  /** The process, as nats-server shows it. */
  name: string;
  log: Logger;
  /** What subjects begin with; tests take one of their own. */
  prefix?: string;
  runtime?: Runtime;
};

/** Files in PEM. Where no authority is named, the system's own count. */
export type BusTls = { caFile?: string; certFile?: string; keyFile?: string };

/** What the settings say of TLS; undefined where they say nothing. */
export function busTls(
  settings: Partial<Record<"NATS_CA_FILE" | "NATS_CERT_FILE" | "NATS_KEY_FILE", string | undefined>>,
): BusTls | undefined {
  const { NATS_CA_FILE: caFile, NATS_CERT_FILE: certFile, NATS_KEY_FILE: keyFile } = settings;
  const tls = { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
  return Object.keys(tls).length === 0 ? undefined : tls;
}

export type BusMessage = {
  /** Where it goes, below the prefix: `<service>.v1.<event_id>`. */
  subject: string;
  /** The same id makes the same message: the stream drops a repetition within its window. */
  id: string;
  payload: Uint8Array;
};

/** The stream as it was found a moment ago. */
export type StreamState = {
  /** When it was made, in nats-server's words: one that was deleted and made again says something else. */
  created: string;
  /** Of the oldest message that it holds. */
  firstSeq: number;
  /** Of the newest that it ever took. */
  lastSeq: number;
};

export type ConsumeOptions = {
  /** The durable consumer's name: replicas that share it share the messages. */
  durable: string;
  maxBatch: number;
  /** How long a batch waits for more to arrive, in milliseconds; not at all unless told. A full one does not wait. */
  gatherMs?: number;
  /** Called with the stream before anything is taken from it, and again whenever the connection to it was lost. */
  begin?(stream: StreamState): Promise<void>;
  /** Takes what has arrived, at most `maxBatch`. It is acknowledged when this resolves, else delivered again. */
  handle(messages: ReceivedMessage[]): Promise<void>;
};

/** What somebody hears of news, for as long as the process runs, over every connection. */
type Hearing = { subject: string; handle: (subject: string) => void; subscription?: Subscription };

/** `seq` is its place in the stream. */
export type ReceivedMessage = { subject: string; payload: Uint8Array; seq: number };

const PUBLISH_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;
const CONNECTED_POLL_MS = 50;
const KEEP_MESSAGES_DAYS = 7;
const DEDUPLICATION_MINUTES = 2;
const ACK_WAIT_SECONDS = 30;
const HEARTBEAT_MS = 2_000;
const CLOSE_WITHIN_MS = 5_000;

/** A stream may be deleted, and made again by somebody else, without a publisher hearing of it. */
const LOOK_AT_STREAM_MS = 5_000;

/** What was asked of JetStream while it could not be reached. It is to be tried again. */
export class BusUnavailableError extends Error {
  override readonly name = "BusUnavailableError";
}

/**
 * The services' events on JetStream. It connects in the background and for ever: a process starts, and sells,
 * without NATS. The stream and the consumers are made, and brought up to date, by whoever needs them first.
 */
export class Bus {
  readonly #log: Logger;
  readonly #runtime: Runtime;
  readonly #prefix: string;
  readonly #streamName: string;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #hearings = new Set<Hearing>();
  #connection: NatsConnection | undefined;
  #stream: { state: StreamState; lookedAtMs: number } | undefined;

  constructor({ url, tls, name, log, prefix = "boxoffice", runtime = systemRuntime }: BusOptions) {
    this.#log = log;
    this.#runtime = runtime;
    this.#prefix = prefix;
    this.#streamName = prefix.toUpperCase();
    this.#running = this.#stayConnected({ ...serverOf(url, tls), name });
  }

  get isConnected(): boolean {
    return this.#connection !== undefined && !this.#connection.isClosed();
  }

  /**
   * The stream as it was at most five seconds ago; it is made where there is none.
   *
   * @throws BusUnavailableError
   */
  async stream(): Promise<StreamState> {
    const connection = this.#connected();
    const nowMs = this.#runtime.nowMs();
    if (this.#stream === undefined || nowMs - this.#stream.lookedAtMs >= LOOK_AT_STREAM_MS) {
      this.#stream = { state: await this.#ensureStream(connection), lookedAtMs: nowMs };
    }
    return this.#stream.state;
  }

  /** @throws BusUnavailableError unless the stream has acknowledged every message */
  async publish(messages: readonly BusMessage[]): Promise<void> {
    await this.stream();
    const js = this.#connected().jetstream({ timeout: PUBLISH_TIMEOUT_MS });
    const results = await Promise.allSettled(
      messages.map(({ subject, id, payload }) =>
        js.publish(`${this.#prefix}.${subject}`, payload, { msgID: id, timeout: PUBLISH_TIMEOUT_MS }),
      ),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) return;
    this.#stream = undefined; // it may have been deleted
    throw new BusUnavailableError("the stream did not acknowledge", { cause: failed.reason });
  }

  /** Hands over messages in batches that form while the batch before is handled, until `signal` aborts. */
  async consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.isConnected) {
        await this.#runtime.sleep(CONNECTED_POLL_MS, signal); // connecting says itself what is wrong
        continue;
      }
      try {
        await this.#consumeWhileItLasts(options, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#stream = undefined;
        this.#log.warn({ error, durable: options.durable }, "cannot consume events; trying again");
      }
      await this.#runtime.sleep(RETRY_MS, signal);
    }
  }

  /** Tells whoever listens now, in any process, that there is news. Nothing is kept, or said while NATS is away. */
  tell(subject: string): void {
    if (this.isConnected) this.#connected().publish(`${this.#prefix}-news.${subject}`);
  }

  /**
   * Hears what is told, until `signal` aborts. What is told while NATS is away is missed: whoever depends on it
   * must look for himself from time to time.
   *
   * @param subject where a part may be `*`; `handle` gets the subject that was told
   */
  hear(subject: string, handle: (subject: string) => void, signal: AbortSignal): void {
    const hearing: Hearing = { subject, handle };
    this.#hearings.add(hearing);
    if (this.isConnected) this.#subscribe(this.#connected(), hearing);
    const stop = () => {
      this.#hearings.delete(hearing);
      if (this.isConnected) hearing.subscription?.unsubscribe();
    };
    signal.addEventListener("abort", stop, { once: true });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const limit = this.#runtime.sleep(CLOSE_WITHIN_MS, this.#closed());
    await Promise.race([this.#connection?.close(), limit]);
    await this.#running;
  }

  /** The client reconnects by itself; what ends it all the same (a rejected login, say) is begun anew. */
  async #stayConnected(options: ConnectionOptions): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#connection = await connect({
          ...options,
          maxReconnectAttempts: -1,
          noAsyncTraces: true, // or each publishing would capture a stack, in case that it fails
          reconnectTimeWait: 250,
          timeout: 2_000,
        });
        this.#stream = undefined;
        void this.#forgetStreamWhenBack(this.#connection);
        for (const hearing of this.#hearings) this.#subscribe(this.#connection, hearing);
        this.#log.info("connected to NATS");
        if (signal.aborted) await this.#connection.close();
        await this.#connection.closed();
      } catch (error) {
        this.#log.warn({ error }, "cannot connect to NATS; trying again");
      }
      await this.#runtime.sleep(RETRY_MS, signal);
    }
  }

  /** The client renews it when it reconnects; a connection that is begun anew needs a new one. */
  #subscribe(connection: NatsConnection, hearing: Hearing): void {
    const { length } = `${this.#prefix}-news.`;
    hearing.subscription = connection.subscribe(`${this.#prefix}-news.${hearing.subject}`, {
      callback: (error, message) => {
        if (error === null) hearing.handle(message.subject.slice(length));
      },
    });
  }

  #connected(): NatsConnection {
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed())
      throw new BusUnavailableError("not connected to NATS");
    return connection;
  }

  /** Whatever nats-server was away for, it may have come back without its disk. Ends with the connection. */
  async #forgetStreamWhenBack(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === Events.Reconnect) this.#stream = undefined;
    }
  }

  async #ensureStream(connection: NatsConnection): Promise<StreamState> {
    try {
      const manager = await connection.jetstreamManager({ timeout: PUBLISH_TIMEOUT_MS });
      const { created, state } = await createOrUpdateStream(manager, this.#streamName, `${this.#prefix}.>`);
      return { created: String(created), firstSeq: state.first_seq, lastSeq: state.last_seq };
    } catch (error) {
      throw new BusUnavailableError("the stream cannot be made", { cause: error });
    }
  }

  async #consumeWhileItLasts(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    await this.stream();
    await this.#ensureConsumer(options);
    this.#stream = undefined; // the one that the consumer is of, and none that came before it
    await options.begin?.(await this.stream());
    const js = this.#connected().jetstream({ timeout: PUBLISH_TIMEOUT_MS });
    const consumer = await js.consumers.get(this.#streamName, options.durable);
    const messages = await consumer.consume({
      max_messages: 2 * options.maxBatch,
      idle_heartbeat: HEARTBEAT_MS,
      abort_on_missing_resource: true,
    });
    const stop = () => messages.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop(); // while the consumer was looked up
    const watching = stopWhenLost(messages);
    try {
      const gather = (ms: number) => this.#runtime.sleep(ms, signal);
      await handleInBatches(messages, options, gather);
    } finally {
      signal.removeEventListener("abort", stop);
      await messages.close();
      await watching;
    }
  }

  async #ensureConsumer({ durable, maxBatch }: ConsumeOptions): Promise<void> {
    const manager = await this.#connected().jetstreamManager({ timeout: PUBLISH_TIMEOUT_MS });
    await manager.consumers.add(this.#streamName, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(ACK_WAIT_SECONDS * 1_000),
      max_ack_pending: 4 * maxBatch,
      filter_subject: `${this.#prefix}.>`,
    });
  }

  #closed(): AbortSignal {
    const closed = new AbortController();
    void this.#connection?.closed().then(() => closed.abort());
    return closed.signal;
  }
}

/** The client takes who logs in beside the address, and TLS as an option, whatever the address says. */
function serverOf(url: string, tls: BusTls | undefined): ConnectionOptions {
  const { protocol, username, password, host } = new URL(url);
  return {
    servers: host,
    ...(username !== "" && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    ...((protocol === "tls:" || tls) && { tls: tls ?? {} }),
  };
}

const MISSING_STREAM = 10_059;

async function createOrUpdateStream(
  manager: JetStreamManager,
  name: string,
  subject: string,
): Promise<StreamInfo> {
  const config = {
    subjects: [subject],
    max_age: nanos(KEEP_MESSAGES_DAYS * 24 * 60 * 60 * 1_000),
    duplicate_window: nanos(DEDUPLICATION_MINUTES * 60 * 1_000),
  };
  try {
    const found = await manager.streams.info(name);
    const isUpToDate = Object.entries(config).every(
      ([key, value]) => JSON.stringify(found.config[key as keyof typeof config]) === JSON.stringify(value),
    );
    return isUpToDate ? found : await manager.streams.update(name, config);
  } catch (error) {
    if (!(error instanceof NatsError) || error.api_error?.err_code !== MISSING_STREAM) throw error;
    return manager.streams.add({
      name,
      ...config,
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
    });
  }
}

/** Acknowledges what was handled, and hands back what was not, to be delivered again. */
async function handleInBatches(
  messages: ConsumerMessages,
  { maxBatch, gatherMs = 0, handle }: ConsumeOptions,
  gather: (ms: number) => Promise<void>,
): Promise<void> {
  const waiting: JsMsg[] = [];
  let working: Promise<void> = Promise.resolve();
  let isWorking = false;
  const work = async () => {
    isWorking = true;
    try {
      while (waiting.length > 0) {
        if (gatherMs > 0 && waiting.length < maxBatch) await gather(gatherMs);
        const batch = waiting.splice(0, maxBatch);
        try {
          await handle(batch.map(({ subject, data, seq }) => ({ subject, payload: data, seq })));
        } catch (error) {
          for (const message of [...batch, ...waiting.splice(0)]) message.nak(RETRY_MS);
          throw error;
        }
        for (const message of batch) message.ack();
      }
    } finally {
      isWorking = false;
    }
  };
  let failure: { error: unknown } | undefined;
  for await (const message of messages) {
    waiting.push(message);
    if (isWorking) continue;
    working = work().catch((error: unknown) => {
      failure = { error };
      messages.stop();
    });
  }
  await working;
  if (failure !== undefined) throw failure.error;
}

/** Missed heartbeats and a deleted stream only show up as a status: then consuming must begin anew. */
async function stopWhenLost(messages: ConsumerMessages): Promise<void> {
  const LOST = new Set(["heartbeats_missed", "consumer_deleted", "consumer_not_found", "stream_not_found"]);
  for await (const { type } of await messages.status()) {
    if (LOST.has(type)) messages.stop(new BusUnavailableError(`the consumer is lost: ${type}`));
  }
}
