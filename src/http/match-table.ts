import { IttyRouter } from "itty-router";
import { type Mount, ACCOUNT } from "./mount.ts";
import { isOpenAiPath, nearbyOf } from "./nearby-paths.ts";
import type { Surface, Route } from "./route.ts";

// itty-router only makes the regular expressions that find a route. Its own `fetch` would parse the URL
// and its query again with every request; router.ts handles the request.

export type Match =
  | {
      readonly kind: "found";
      readonly mount: Mount;
      readonly params: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "missing";
      /** The methods of that path; empty where there is no such path. */
      readonly allow: readonly string[];
      /** Existing paths that may be meant, where there is no such path. */
      readonly nearby: readonly string[];
      /** The surface of the path that is surely meant. */
      readonly surface?: Surface;
      /** `any`: pages of any site may call the routes at that path. */
      readonly cors?: "any";
    };

/** itty-router reads `:name` anywhere as a parameter; here only a whole segment is a parameter. */
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
 * Longer than any path here, whose parameters have at most 200 characters each. A longer path is not
 * looked up at all.
 */
const MAX_PATH_CHARS = 4096;

export interface MatchTable {
  match(method: string, pathname: string): Match;
}

/** A mount with the expression of its path. */
interface Entry {
  readonly mount: Mount;
  readonly matcher: RegExp;
}

export function matchTable(mounts: readonly Mount[]): MatchTable {
  const entries: readonly Entry[] = mounts.map((mount) => ({ mount, matcher: matcherOf(mount) }));
  const rivals = rivalsOf(entries);
  const nowhere = { kind: "missing", allow: [], nearby: [] } as const satisfies Match;

  /** The most specific path that matches, for any method. */
  const pathOf = (pathname: string): string | undefined =>
    isOpenAiPath(pathname) && !entries.some(({ mount }) => mount.path === pathname)
      ? undefined
      : entries.find(({ matcher }) => matcher.test(pathname))?.mount.path;

  function missing(pathname: string): Match {
    const path = hasTrailingSlash(pathname) ? undefined : pathOf(pathname);
    const there = mounts.filter((mount) => mount.path === path);
    if (there.length === 0) {
      const found = (spelt: string) => entries.find(({ matcher }) => matcher.test(spelt))?.mount;
      const { paths, ...meant } = nearbyOf(pathname, found, mounts);
      return { ...nowhere, nearby: paths, ...meant };
    }
    const methods = there.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    const isForAnyPage = there.every(({ route }) => route.cors === "any");
    return { ...nowhere, allow: methods, ...(isForAnyPage && { cors: "any" }) };
  }

  return {
    match(method, pathname) {
      if (pathname.length > MAX_PATH_CHARS) return nowhere;
      if (hasTrailingSlash(pathname)) return missing(pathname);
      const wanted = method === "HEAD" ? "GET" : method;
      for (const entry of entries) {
        const { mount, matcher } = entry;
        const found = mount.method === wanted ? matcher.exec(pathname) : null;
        if (found === null) continue;
        const isRivalled = rivals.get(entry)?.some((rival) => rival.test(pathname)) === true;
        if (isRivalled || (found.groups !== undefined && isOpenAiPath(pathname))) {
          return missing(pathname);
        }
        return { kind: "found", mount, params: found.groups ?? {} };
      }
      return missing(pathname);
    },
  };
}

/**
 * Exact paths that also match a path with a parameter: `/v1/verdicts/claim` is a path of its own under
 * every method, never the verdict `claim`.
 */
function rivalsOf(entries: readonly Entry[]): ReadonlyMap<Entry, readonly RegExp[]> {
  const isOf = ({ mount, matcher }: Entry, other: Entry): boolean =>
    other.mount.path !== mount.path && matcher.test(other.mount.path);
  return new Map(
    entries.map((entry) => [
      entry,
      entries.filter((other) => isOf(entry, other)).map(({ matcher }) => matcher),
    ]),
  );
}

// The error shape of a reply. A route has its own. The reply for an unknown path has the shape of the paths
// near it, so that a client which mistyped a path still understands the reply.

/** The beginnings of whole surfaces; the first that matches counts. */
const BASES: readonly (readonly [RegExp, Surface])[] = [
  [startOf(`${ACCOUNT}/ai/v1`), "openai"],
  [startOf("/client/v4"), "workers-ai"],
  [startOf("/v1alpha1"), "perspective"],
  [/^\/\$discovery(?:\/|$)/, "perspective"],
];

const OPENAI = [startOf("/v1"), "openai"] as const;

/** Matches this path and those below it, with any parameters. */
function startOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\/:\w+\+?/g, "/[^/]+")}(?:/|$)`);
}

export function surfacesOf(routes: readonly Route[]): (match: Match, url: URL) => Surface {
  const ofRoutes = (surface: Surface) =>
    routes
      .filter((route) => route.surface === surface)
      .map((route) => [startOf(route.path.replace(/\/:.*$/, "")), surface] as const);
  // Near the native routes below `/v1`, replies have the native shape. All other requests below `/v1` are
  // from OpenAI's clients.
  const starts = [...BASES, ...ofRoutes("openai"), ...ofRoutes("native"), OPENAI] as const;
  return (match, { pathname }) => {
    if (match.kind === "found") return match.mount.route.surface;
    if (match.surface !== undefined) return match.surface;
    const path = pathname.replace(/\/{2,}/g, "/");
    return starts.find(([start]) => start.test(path))?.[1] ?? "native";
  };
}
