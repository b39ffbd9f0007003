import { invalidField } from "./errors.ts";

/** How many a list gives when its `page_size` is 0. At most is the contract's rule. */
const DEFAULT_PAGE_SIZE = 50;

export type Page<Key extends readonly string[]> = {
  size: number;
  /** The sort key of the last one that the page before gave; undefined on the first page. */
  after: Key | undefined;
};

/**
 * Reads `page_size` and `page_token`. `key` tells how to check each part of the sort key, in order.
 *
 * @throws BoxofficeError INVALID_REQUEST for a token that this list did not give
 */
export function parsePage<const Parts extends readonly RegExp[]>(
  request: { pageSize: number; pageToken: string },
  ...key: Parts
): Page<{ [Index in keyof Parts]: string }> {
  const size = request.pageSize || DEFAULT_PAGE_SIZE;
  if (request.pageToken === "") return { size, after: undefined };
  const parts = decode(request.pageToken);
  if (parts?.length !== key.length || !key.every((pattern, index) => pattern.test(parts[index] ?? ""))) {
    throw invalidField("page_token", "is not one that this list gave");
  }
  return { size, after: parts as { [Index in keyof Parts]: string } };
}

/** Of `size + 1` rows read, those of the page, and the token of the next one: empty on the last page. */
export function cutPage<Row>(rows: Row[], size: number, keyOf: (row: Row) => readonly string[]) {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const nextPageToken = rows.length > size && last !== undefined ? encode(keyOf(last)) : "";
  return { page, nextPageToken };
}

/** Patterns of what lists are sorted by. */
export const sortKey = {
  id: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  time: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/,
  text: /^[^\0]*$/,
} as const;

const encode = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString("base64url");

function decode(token: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(value) && value.every((part) => typeof part === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}
