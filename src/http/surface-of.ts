import type { Match } from "./match-table.ts";
import { ACCOUNT } from "./mount.ts";
import type { Route, Surface } from "./route.ts";

// The error shape of a reply. A route knows its own; a path that no route has is answered in the
// shape of what stands around it, so that a client which mistyped a path still understands the reply.

/** Where whole surfaces begin; the first that fits holds. */
const BASES: readonly (readonly [RegExp, Surface])[] = [
  [startOf(`${ACCOUNT}/ai/v1`), "openai"],
  [startOf("/client/v4"), "workers-ai"],
  [startOf("/v1alpha1"), "perspective"],
  [/^\/\$discovery(?:\/|$)/, "perspective"],
];

const OPENAI = [startOf("/v1"), "openai"] as const;

/** Paths that are this one or below it, whatever its parameters are. */
function startOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\/:\w+\+?/g, "/[^/]+")}(?:/|$)`);
}

export function surfacesOf(routes: readonly Route[]): (match: Match, url: URL) => Surface {
  const ofRoutes = (surface: Surface) =>
    routes
      .filter((route) => route.surface === surface)
      .map((route) => [startOf(route.path.replace(/\/:.*$/, "")), surface] as const);
  // What our own surface has below `/v1` is told in its shape; whatever else is asked for there is
  // asked for by OpenAI's clients.
  const starts = [...BASES, ...ofRoutes("openai"), ...ofRoutes("native"), OPENAI] as const;
  return (match, { pathname }) => {
    if (match.kind === "found") return match.mount.route.surface;
    if (match.surface !== undefined) return match.surface;
    const path = pathname.replace(/\/{2,}/g, "/");
    return starts.find(([start]) => start.test(path))?.[1] ?? "native";
  };
}
