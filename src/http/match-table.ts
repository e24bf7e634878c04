import { IttyRouter } from "itty-router";
import type { Mount } from "./mount.ts";

// itty-router makes the expressions that find a route, and nothing else. Its own `fetch` would parse
// the URL and its query once more with every request; what happens to one is in router.ts.

export type Match =
  | {
      readonly kind: "found";
      readonly mount: Mount;
      readonly params: Readonly<Record<string, string>>;
    }
  /** `allow` is empty where no method would do. `cors`: what routes at that path allow to pages. */
  | { readonly kind: "missing"; readonly allow: readonly string[]; readonly cors?: "any" };

/** itty-router reads `:name` anywhere as a parameter; only a whole segment is one of ours. */
const pattern = (path: string): string => path.replace(/(?<!\/):/g, "[:]").replaceAll("$", "[$]");

/** itty-router also takes `/v1/verdicts/` for `/v1/verdicts`; those are two paths. */
const hasTrailingSlash = (pathname: string): boolean => pathname !== "/" && pathname.endsWith("/");

function matcherOf({ path }: Mount): RegExp {
  const itty = IttyRouter();
  itty.all(pattern(path), () => undefined);
  const [route] = itty.routes;
  if (route === undefined) throw new Error(`no expression for ${path}`);
  return route[1];
}

/**
 * Longer than any path of ours, each of whose parameters has at most 200 characters: what is longer is
 * looked for in no table, whoever asks.
 */
const MAX_PATH_CHARS = 4096;

export interface MatchTable {
  match(method: string, pathname: string): Match;
}

export function matchTable(mounts: readonly Mount[]): MatchTable {
  const entries = mounts.map((mount) => ({ mount, matcher: matcherOf(mount) }));

  function missing(pathname: string): Match {
    const there = entries.filter(({ matcher }) => matcher.test(pathname));
    const methods = there.flatMap(({ mount: { method } }) =>
      method === "GET" ? ["GET", "HEAD"] : [method],
    );
    const isForAnyPage = there.length > 0 && there.every(({ mount }) => mount.route.cors === "any");
    const allow = [...new Set(methods)];
    return { kind: "missing", allow, ...(isForAnyPage && { cors: "any" }) };
  }

  return {
    match(method, pathname) {
      if (pathname.length > MAX_PATH_CHARS || hasTrailingSlash(pathname))
        return { kind: "missing", allow: [] };
      const asked = method === "HEAD" ? "GET" : method;
      for (const { mount, matcher } of entries) {
        const found = mount.method === asked ? matcher.exec(pathname) : null;
        if (found !== null) return { kind: "found", mount, params: found.groups ?? {} };
      }
      return missing(pathname);
    },
  };
}
