import type { Match } from "./match-table.ts";
import { ACCOUNT } from "./mount.ts";
import type { Route, Surface } from "./route.ts";

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
