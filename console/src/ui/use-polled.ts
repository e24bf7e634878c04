import { useEffect } from "preact/hooks";
import { backOffMs } from "../api/back-off.ts";
import { type Loaded, useLoad } from "./use-load.ts";

/** What is asked for again every so often while the page is seen, and less often while that fails. */
export function usePolled<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs: number,
): Loaded<T> {
  const loaded = useLoad(key, load);
  const { loading, error, reload } = loaded;
  useEffect(() => {
    if (loading) return;
    const pauseMs = error === null ? everyMs : everyMs + backOffMs(6);
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, pauseMs);
    return () => clearInterval(timer);
  }, [loading, error, everyMs, reload]);
  return loaded;
}
