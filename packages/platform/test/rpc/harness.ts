import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallOptions, Interceptor, ServiceImpl } from "@connectrpc/connect";
import { pino } from "pino";
import { ensureKeys, JWKS_FILE } from "../../src/auth/keys.ts";
import { createTokenIssuer, OPERATOR_AUDIENCE, type TokenIssuer } from "../../src/auth/tokens.ts";
import { createVerifier } from "../../src/auth/verifier.ts";
import { createRpcClient } from "../../src/rpc/client.ts";
import { HealthState } from "../../src/rpc/health.ts";
import { createRpcServer, type RpcServer, type RpcServerOptions } from "../../src/rpc/server.ts";
import { service } from "../../src/rpc/service.ts";
import { createGrpcTransport, type GrpcTransport } from "../../src/rpc/transport.ts";
import { TalkService } from "./talk.ts";

export type TalkImpl = Partial<ServiceImpl<typeof TalkService>>;

/** Called "catalog" by those who mint tokens for it. */
export const SERVICE_NAME = "catalog";

export const ROLES = ["catalog", "reservation", "payment", "stats", "gateway", "operator"];

/** A server with the talk service, a client of it, and keys of its own. Dispose of it with `await using`. */
export async function startTalk(
  impl: TalkImpl,
  options: Partial<RpcServerOptions> & { clientInterceptors?: Interceptor[] } = {},
  fixedPort = 0,
): Promise<Talk> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-rpc-"));
  await ensureKeys(folder, ROLES);
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => lines.push(line) });
  const health = new HealthState();
  const server = createRpcServer({
    name: SERVICE_NAME,
    services: [service(TalkService, impl)],
    verifier: createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: SERVICE_NAME, log }),
    health,
    log,
    ...options,
  });
  const port = await server.listen("127.0.0.1", fixedPort);
  const address = `127.0.0.1:${port}`;
  const transport = createGrpcTransport(address, {
    defaultTimeoutMs: 5000,
    interceptors: options.clientInterceptors ?? [],
  });
  const issuer = (role: string) => createTokenIssuer({ role, keyFile: join(folder, `${role}.key`) });
  return {
    server,
    health,
    transport,
    address,
    folder,
    client: createRpcClient(TalkService, transport),
    logged: () => lines.map((line) => JSON.parse(line)),
    issuer,
    bearer: async (role) => {
      const audience = role === "operator" ? OPERATOR_AUDIENCE : SERVICE_NAME;
      return bearer(await issuer(role).mint({ subject: `${role}-subject`, audience, ttlSeconds: 60 }));
    },
    async [Symbol.asyncDispose]() {
      transport.close();
      await server.close(200);
      rmSync(folder, { recursive: true });
    },
  };
}

export type Talk = AsyncDisposable & {
  server: RpcServer;
  health: HealthState;
  transport: GrpcTransport;
  address: string;
  folder: string;
  client: ReturnType<typeof createRpcClient<typeof TalkService>>;
  logged(): { msg: string; method?: string; error?: { message: string } }[];
  issuer(role: string): TokenIssuer;
  bearer(role: string): Promise<CallOptions>;
};

export function bearer(token: string): CallOptions {
  return { headers: { authorization: `Bearer ${token}` } };
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a failure, got ${String(value)}`);
    },
    (error: unknown) => error,
  );
}

/** Waits until something is so, at most two seconds. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (const until = Date.now() + 2000; !isSo(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > until) throw new Error("it did not happen within two seconds");
  }
}
