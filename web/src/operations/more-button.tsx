import { useWords } from "./use-words.ts";

type MoreButtonProps = {
  /** A query of pages, the next of which it asks for. */
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage(): Promise<unknown> };
};

/** Below a list: shows more of it, where there is more. */
export function MoreButton({ query }: MoreButtonProps) {
  const { more } = useWords();
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  if (!hasNextPage) return null;
  return (
    <button
      type="button"
      className="button more"
      disabled={isFetchingNextPage}
      onClick={() => void fetchNextPage()}
    >
      {more}
    </button>
  );
}
