import type { Verifier } from "@boxoffice/platform/auth/verifier.ts";
import { toConnectError } from "@boxoffice/platform/errors.ts";
import { accessInterceptor } from "@boxoffice/platform/rpc/access.ts";
import { toCallError } from "@boxoffice/platform/rpc/connection-error.ts";
import { Encoded } from "@boxoffice/platform/rpc/encoded.ts";
import { intercept } from "@boxoffice/platform/rpc/intercept.ts";
import { validateInterceptor } from "@boxoffice/platform/rpc/validate.ts";
import {
  ReservationService,
  type ReserveRequest,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  create,
  type DescMethodUnary,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type Transport,
  type UnaryRequest,
} from "@connectrpc/connect";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** Who calls: a process, or somebody outside. */
export type From = {
  host?: Host /** operator, or a service. */;
  as?: string;
  interceptors?: readonly Interceptor[];
};

/** A call that a process has begun to answer. */
type Serving = { server: Host; lose(): void };

/**
 * Carries calls between processes, and from outside to them. A call between processes waits for its turn on its way
 * there and on its way back, and may be lost on either; it is answered by the handlers of the process that it comes to.
 */
export class Network {
  readonly #world: World;
  readonly #serving = new Set<Serving>();

  constructor(world: World) {
    this.#world = world;
  }

  transport(service: string, from: From): Transport {
    return {
      unary: async (method, signal, timeoutMs, header, input) => {
        const headers = new Headers(header);
        if (from.as !== undefined) headers.set("authorization", `Bearer ${from.as}`);
        const invoke = intercept(from.interceptors ?? [], (request) =>
          this.#call(service, from, request as UnaryRequest, timeoutMs),
        );
        const answer = await invoke({
          stream: false,
          service: method.parent,
          method,
          requestMethod: "POST",
          url: `http://simulated/${method.parent.typeName}/${method.name}`,
          signal: signal ?? new AbortController().signal,
          header: headers,
          contextValues: createContextValues(),
          message: create(method.input, input as MessageInitShape<typeof method.input>),
        } as UnaryRequest);
        return answer as never;
      },
      stream: () => {
        throw new Error("nothing here calls by stream");
      },
    };
  }

  /** A process has died: who waits for its answers is told that the connection is lost. */
  lost(host: Host): void {
    for (const serving of this.#serving) if (serving.server === host) serving.lose();
  }

  #call(service: string, from: From, request: UnaryRequest, timeoutMs: number | undefined) {
    const { scheduler, clock, faults } = this.#world;
    const method = request.method as DescMethodUnary;
    const bytes = toBinary(method.input, request.message as Message);
    const host = from.host && { host: from.host };
    const about = `${method.name}${refsIn(request.message)}`;
    return new Promise<unknown>((resolve, reject) => {
      let isOver = false;
      const ended = new AbortController();
      const end = (finish: () => void) => {
        if (isOver || from.host?.isAlive === false) return;
        isOver = true;
        dropDeadline();
        finish();
      };
      const fail = (error: ConnectError, isSent: boolean) => end(() => reject(toCallError(error, isSent)));
      const lose = () => {
        const take = () => fail(new ConnectError("the connection is lost", Code.Unavailable), true);
        scheduler.add({ kind: "call", ...host, label: `${about} loses its connection`, take });
      };
      const dropDeadline =
        timeoutMs === undefined || timeoutMs === 0
          ? () => {}
          : scheduler.add({
              kind: "timer",
              ...host,
              label: `${about} has waited ${timeoutMs} ms`,
              dueMs: clock.nowMs + timeoutMs,
              take() {
                const error = new ConnectError("the deadline has passed", Code.DeadlineExceeded);
                ended.abort(error);
                end(() => reject(error));
              },
            });
      request.signal.addEventListener("abort", () => {
        const error = ConnectError.from(request.signal.reason, Code.Canceled);
        ended.abort(error);
        end(() => reject(error));
      });
      const deliver = () => {
        const server = this.#world.pick(service);
        const fault = from.host && faults.ofCall();
        if (server === undefined || fault === "not sent") {
          return fail(new ConnectError("there is no connection", Code.Unavailable), false);
        }
        if (fault === "request lost") return lose();
        scheduler.note(`  ${about} comes to ${server.name}`);
        const serving: Serving = { server, lose };
        this.#serving.add(serving);
        const answer = (finish: () => void) => {
          if (!server.isAlive) return;
          this.#serving.delete(serving);
          if (from.host === undefined) return end(finish);
          if (fault === "answer lost") return lose();
          scheduler.add({ kind: "call", ...host, label: `${about} is answered`, take: () => end(finish) });
        };
        this.#handle(server, method, bytes, request.header, ended.signal, timeoutMs).then(
          (output) =>
            answer(() =>
              resolve({
                stream: false,
                service: method.parent,
                method,
                header: new Headers(),
                trailer: new Headers(),
                message: fromBinary(method.output, output),
              }),
            ),
          (error: unknown) => {
            const told = toConnectError(error);
            if (method === ReservationService.method.reserve)
              this.#world.judge.refused(server, request.message as ReserveRequest, told);
            answer(() => reject(toCallError(told, true)));
          },
        );
      };
      if (from.host === undefined) deliver();
      else {
        // What was sent arrives also when its sender has died since.
        const dueMs = clock.nowMs + faults.callDelayMs();
        scheduler.add({ kind: "call", label: `${from.host.name}: ${about} is sent`, dueMs, take: deliver });
      }
    }) as ReturnType<ReturnType<typeof intercept>>;
  }

  async #handle(
    server: Host,
    method: DescMethodUnary,
    bytes: Uint8Array,
    header: Headers,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): Promise<Uint8Array> {
    const impl = server.services.find(({ desc }) => desc.typeName === method.parent.typeName)?.impl[
      method.localName
    ];
    if (impl === undefined) throw new Error(`${server.name} has no ${method.name}`);
    const common = {
      service: method.parent,
      requestMethod: "POST",
      url: "",
      signal,
    };
    const answer = await intercept(INTERCEPTORS, async (request) => {
      const context: HandlerContext = {
        ...common,
        method,
        protocolName: "grpc",
        requestHeader: request.header,
        responseHeader: new Headers(),
        responseTrailer: new Headers(),
        values: request.contextValues,
        timeoutMs: () => timeoutMs,
      };
      const output = await impl(request.message as never, context);
      return { message: output } as never;
    })({
      ...common,
      stream: false,
      method,
      header,
      contextValues: createContextValues(),
      message: fromBinary(method.input, bytes),
    } as UnaryRequest);
    const output = answer.message as unknown;
    if (output instanceof Encoded) return output.bytes;
    return toBinary(method.output, create(method.output, output as Message));
  }
}

/** Whoever says who they are is believed: tokens are not what is simulated. */
const BELIEVING: Verifier = {
  verify: async (token) =>
    token === "operator"
      ? { kind: "operator", subject: "somebody", token }
      : { kind: "service", service: token },
};

const INTERCEPTORS = [accessInterceptor(BELIEVING), validateInterceptor()];

/** Of the ids in a request, their last digits: for whoever reads a trace. */
function refsIn(message: unknown): string {
  const ids = JSON.stringify(message, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  ).match(/"(reservationId|paymentId|requestId)":"[^"]{8,}"/g);
  return ids === null ? "" : ` ${ids.map((id) => id.slice(-5, -1)).join(" ")}`;
}
