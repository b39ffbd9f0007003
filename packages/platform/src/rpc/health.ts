import { EventEmitter, on } from "node:events";
import { Health, HealthCheckResponse_ServingStatus } from "@boxoffice/proto/grpc/health/v1/health_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { type RpcService, service } from "./service.ts";

export type HealthStatus = "SERVING" | "NOT_SERVING";

/** Whether a process can do its work now. It begins with NOT_SERVING. */
export class HealthState {
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #status: HealthStatus = "NOT_SERVING";

  get status(): HealthStatus {
    return this.#status;
  }

  set(status: HealthStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#changes.emit("change");
  }

  /** The status now, and again after each change, until `signal` aborts; then it throws. */
  async *watch(signal: AbortSignal): AsyncIterable<HealthStatus> {
    const changes = on(this.#changes, "change", { signal }); // before the first answer, so that none is missed
    let told = this.#status;
    yield told;
    for await (const _ of changes) {
      if (told === this.#status) continue;
      told = this.#status;
      yield told;
    }
  }
}

/** grpc.health.v1 for the whole process ("") and for each service it serves, which share one status. */
export function healthService(state: HealthState, serviceNames: readonly string[]): RpcService {
  const known = new Set(["", ...serviceNames]);
  return service(Health, {
    check(request) {
      if (!known.has(request.service)) throw new ConnectError("unknown service", Code.NotFound);
      return { status: ServingStatus[state.status] };
    },
    async *watch(request, { signal }) {
      const isKnown = known.has(request.service);
      for await (const status of state.watch(signal)) {
        yield { status: isKnown ? ServingStatus[status] : ServingStatus.SERVICE_UNKNOWN };
      }
    },
  });
}

const ServingStatus = HealthCheckResponse_ServingStatus;
