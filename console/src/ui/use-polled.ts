import { useEffect } from "preact/hooks";
import { backOffMs } from "../api/back-off.ts";
import { type Loaded, useLoad } from "./use-load.ts";

/** Loads again every `everyMs` while the page is visible, and less often while it fails. */
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
