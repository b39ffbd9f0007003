/** The box office as a stranger meets it: HTTP, JSON, and nothing of ours. */

const PACKAGES = {
  catalog: "boxoffice.catalog.v1.CatalogService",
  reservation: "boxoffice.reservation.v1.ReservationService",
  sales: "boxoffice.reservation.v1.SalesService",
  payment: "boxoffice.payment.v1.PaymentService",
  stats: "boxoffice.stats.v1.StatsService",
} as const;

/** For example `catalog/GetEvent`. */
export type Method = `${keyof typeof PACKAGES}/${string}`;

/** What an error must say; what is left out is not looked at. */
export type Refusal = {
  reason: string;
  code?: string;
  /** The first field that is named as wrong. */
  field?: string;
  metadata?: Record<string, string>;
  message?: string;
};

type Answer = { status: number; headers: Headers; text: string };

const CALL_LIMIT_MS = 20_000;

export class Api {
  readonly address: string;
  readonly #headers: Record<string, string>;

  /** @param address for example `http://127.0.0.1:8080` */
  constructor(address: string, token?: string) {
    this.address = address.replace(/\/$/, "");
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Calls a method and gives its answer. @throws Error that says what it answered instead of OK */
  async ok<Result>(method: Method, message: object = {}): Promise<Result> {
    const answer = await this.#post(method, message);
    if (answer.status !== 200) throw new Error(`${describe(method, message, answer)}, expected OK`);
    return JSON.parse(answer.text) as Result;
  }

  /** Calls a method that must be refused. @throws Error where it is not, or not like that */
  async refused(method: Method, message: object, expected: Refusal): Promise<Record<string, string>> {
    const answer = await this.#post(method, message);
    const wrong = `${describe(method, message, answer)}, expected ${JSON.stringify(expected)}`;
    if (answer.status < 400 || answer.status === 500) throw new Error(wrong);
    const error = JSON.parse(answer.text) as ErrorJson;
    const info = debugOf(error, "google.rpc.ErrorInfo") as {
      reason?: string;
      metadata?: Record<string, string>;
    };
    const { fieldViolations } = debugOf(error, "google.rpc.BadRequest") as {
      fieldViolations?: { field: string }[];
    };
    const isAsExpected =
      info.reason === expected.reason &&
      (expected.code === undefined || error.code === expected.code) &&
      (expected.message === undefined || error.message === expected.message) &&
      (expected.field === undefined || fieldViolations?.[0]?.field === expected.field) &&
      Object.entries(expected.metadata ?? {}).every(([key, value]) => info.metadata?.[key] === value);
    if (!isAsExpected) throw new Error(wrong);
    return info.metadata ?? {};
  }

  /** Calls a method by GET, as a browser or a cache would. */
  async get(method: Method, message: object): Promise<Answer> {
    const query = new URLSearchParams({ encoding: "json", message: JSON.stringify(message) });
    return this.page(`${pathOf(method)}?${query}`);
  }

  /** Whatever there is at a path. */
  async page(path: string): Promise<Answer> {
    const signal = AbortSignal.timeout(CALL_LIMIT_MS);
    const response = await fetch(`${this.address}${path}`, { headers: this.#headers, signal });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async #post(method: Method, message: object): Promise<Answer> {
    const response = await fetch(`${this.address}${pathOf(method)}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...this.#headers },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

type ErrorJson = { code: string; message: string; details?: { type: string; debug?: object }[] };

function pathOf(method: Method): string {
  const [service = "", name = ""] = method.split("/");
  return `/${PACKAGES[service as keyof typeof PACKAGES]}/${name}`;
}

function debugOf({ details }: ErrorJson, type: string): object {
  return details?.find((detail) => detail.type === type)?.debug ?? {};
}

function describe(method: Method, message: object, { status, text }: Answer): string {
  return `${method} ${shorten(JSON.stringify(message))} answered ${status} ${shorten(text)}`;
}

function shorten(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
