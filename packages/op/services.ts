import { userInfo } from "node:os";
import { mintToken } from "@boxoffice/platform/auth/tokens.ts";
import { readConfig, setting } from "@boxoffice/platform/config.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport, type GrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { openTls, type Tls, tlsSettings } from "@boxoffice/platform/tls.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { privateKeyFile } from "./data-folder.ts";
import type { Terminal } from "./terminal.ts";

const CALL_LIMIT_MS = 20_000;

/** Long enough for a command, and no use to whoever finds it later. */
const TOKEN_TTL_SECONDS = 15 * 60;

const PORTS = { catalog: 50_051, reservation: 50_052, payment: 50_053, stats: 50_054 } as const;
type ServiceName = keyof typeof PORTS;

/** The services' clients, each connected when it is first asked for, in the name of who runs the command. */
export class Services {
  readonly #transports = new Map<ServiceName, GrpcTransport>();
  readonly #env: Terminal["env"];
  #token: Promise<string> | undefined;
  #tls: Tls | undefined;

  constructor(env: Terminal["env"]) {
    this.#env = env;
  }

  get catalog(): Client<typeof CatalogService> {
    return this.#connect("catalog", CatalogService);
  }

  get reservation(): Client<typeof ReservationService> {
    return this.#connect("reservation", ReservationService);
  }

  get payment(): Client<typeof PaymentService> {
    return this.#connect("payment", PaymentService);
  }

  get stats(): Client<typeof StatsService> {
    return this.#connect("stats", StatsService);
  }

  close(): void {
    for (const transport of this.#transports.values()) transport.close();
  }

  #connect<Service extends DescService>(name: ServiceName, desc: Service): Client<Service> {
    this.#tls ??= openTls(readConfig(tlsSettings, this.#env), createLogger("op", "silent"));
    const transport =
      this.#transports.get(name) ??
      createGrpcTransport(addressOf(name, this.#env), {
        defaultTimeoutMs: CALL_LIMIT_MS,
        tls: this.#tls,
        bearer: () => {
          this.#token ??= operatorToken(this.#env);
          return this.#token;
        },
      });
    this.#transports.set(name, transport);
    return createRpcClient(desc, transport);
  }
}

/** Where a service listens: `<SERVICE>_ADDRESS`, or this machine and `<SERVICE>_PORT`. */
function addressOf(name: ServiceName, env: Terminal["env"]): string {
  const variable = name.toUpperCase();
  const settings = readConfig(
    {
      [`${variable}_ADDRESS`]: setting.text().optional(),
      [`${variable}_PORT`]: setting.port(PORTS[name]),
    },
    env,
  );
  return String(settings[`${variable}_ADDRESS`] ?? `127.0.0.1:${settings[`${variable}_PORT`]}`);
}

/** BOXOFFICE_TOKEN, or a token for this machine's user, made with the data folder's key. */
async function operatorToken(env: Terminal["env"]): Promise<string> {
  const { BOXOFFICE_TOKEN } = readConfig({ BOXOFFICE_TOKEN: setting.text().optional() }, env);
  if (BOXOFFICE_TOKEN !== undefined) return BOXOFFICE_TOKEN;
  return mintToken({
    privateKeyFile: privateKeyFile("operator", env),
    role: "operator",
    subject: userInfo().username,
    ttlSeconds: TOKEN_TTL_SECONDS,
  });
}
