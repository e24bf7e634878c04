import { useEffect, useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import type { Limits } from "../api/shapes.ts";

const AT_ONCE = 6;
const EVERY_MS = 10_000;

/** How the tenants that are looked at stand, read a few at a time and anew while the page is seen. */
export function useStandings(ids: readonly string[]): ReadonlyMap<string, Limits | Error> {
  const [standings, setStandings] = useState<ReadonlyMap<string, Limits | Error>>(new Map());
  const key = ids.join(" ");
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const read = async (id: string) => {
      const standing = await api
        .get<Limits>(tenantPath(id, "/limits"), {}, { signal })
        .catch((error: unknown) => error as Error);
      if (!signal.aborted) setStandings((before) => new Map(before).set(id, standing));
    };
    const readAll = async () => {
      if (document.hidden) return;
      const queue = [...ids];
      const worker = async () => {
        for (let id = queue.shift(); id !== undefined && !signal.aborted; id = queue.shift()) {
          // oxlint-disable-next-line no-await-in-loop -- so many at once and no more
          await read(id);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    };
    void readAll();
    const timer = setInterval(() => void readAll(), EVERY_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [key]);
  return standings;
}
