/** How many a list asks for at a time: the most that a page holds. */
const PAGE_SIZE = 500;

/**
 * Reads a list page after page, until there is no more of it or `limit` have been read.
 *
 * @param read asks for one page
 */
export async function readPages<Item>(
  limit: number,
  read: (page: { pageSize: number; pageToken: string }) => Promise<{ items: Item[]; nextPageToken: string }>,
): Promise<{ items: Item[]; hasMore: boolean }> {
  const items: Item[] = [];
  let pageToken = "";
  do {
    const pageSize = Math.min(PAGE_SIZE, limit - items.length);
    const page = await read({ pageSize, pageToken });
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && items.length < limit);
  return { items, hasMore: pageToken !== "" };
}
