import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  readonly data: T | null;
  readonly error: Error | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * Loads when `key` changes and on `reload`. The old data stays until the new data is there; if `key`
 * changed it is removed at once, since it belongs to something else. A newer load aborts an older one.
 */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: Error | null }>({
    key,
    data: null,
    error: null,
  });
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  // At once: other effects wait for the first frame.
  useLayoutEffect(() => {
    const abort = new AbortController();
    setLoading(true);
    latest
      .current(abort.signal)
      .then((data) => {
        if (!abort.signal.aborted) setState({ key, data, error: null });
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        const known = error instanceof Error ? error : new Error("Something went wrong.");
        setState((before) => ({
          key,
          data: before.key === key ? before.data : null,
          error: known,
        }));
      })
      .finally(() => {
        if (!abort.signal.aborted) setLoading(false);
      });
    return () => abort.abort();
  }, [key, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const own = state.key === key;
  return { data: own ? state.data : null, error: own ? state.error : null, loading, reload };
}
