import { useLayoutEffect, useState } from "preact/hooks";
import type { List } from "../api/shapes.ts";

export interface Paged<Item> {
  readonly items: readonly Item[] | null;
  readonly error: Error | null;
  readonly loading: boolean;
  readonly more: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

interface State<Item> {
  readonly key: string;
  readonly items: readonly Item[] | null;
  readonly cursor: string | null;
  readonly error: Error | null;
}

/** A list that is read page by page; each page is added below the one before. */
export function usePaged<Item>(
  key: string,
  load: (cursor: string | null, signal: AbortSignal) => Promise<List<Item>>,
): Paged<Item> {
  const fresh: State<Item> = { key, items: null, cursor: null, error: null };
  const [state, setState] = useState<State<Item>>(fresh);
  const [asked, setAsked] = useState<{ turn: number; cursor: string | null }>({
    turn: 0,
    cursor: null,
  });
  const [loading, setLoading] = useState(true);

  // At once: other effects wait for the first frame.
  useLayoutEffect(() => {
    const abort = new AbortController();
    // A cursor of the previous list is not valid for this one.
    const cursor = state.key === key ? asked.cursor : null;
    setLoading(true);
    load(cursor, abort.signal)
      .then(({ data, next_cursor: next }) => {
        if (abort.signal.aborted) return;
        setState((before) => ({
          key,
          items: cursor === null ? data : [...(before.items ?? []), ...data],
          cursor: next,
          error: null,
        }));
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        const known = error instanceof Error ? error : new Error("Something went wrong.");
        setState((before) => ({ ...(before.key === key ? before : fresh), error: known }));
      })
      .finally(() => {
        if (!abort.signal.aborted) setLoading(false);
      });
    return () => abort.abort();
  }, [key, asked]);

  const own = state.key === key ? state : fresh;
  return {
    items: own.items,
    error: own.error,
    loading,
    more: own.cursor !== null,
    loadMore: () => setAsked(({ turn }) => ({ turn: turn + 1, cursor: own.cursor })),
    reload: () => setAsked(({ turn }) => ({ turn: turn + 1, cursor: null })),
  };
}
