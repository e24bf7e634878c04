import type { FailureKind } from "../domain/ledger/failure.ts";
import type { Auth, Method, Route } from "./route.ts";

// The paths of routes. Each route has its own path; with a mirror, also the platform's path; and routes of
// OpenAI's surface also a path below an account of Cloudflare's API, whose base URL is OpenAI-compatible.

/** Here the account is the tenant: another tenant's key is not accepted. */
export const ACCOUNT = "/client/v4/accounts/:account";

export interface Mount {
  readonly route: Route;
  readonly method: Method;
  readonly path: string;
  /** For a mirror always the platform's. */
  readonly auth: Auth;
  readonly mirrored: boolean;
  /** Below `ACCOUNT`: the path names the tenant of the key. */
  readonly account: boolean;
}

/** The names of a path's parameters, in order. */
export const paramNames = (path: string): readonly string[] => path.match(/(?<=\/:)\w+/g) ?? [];

/** `/v1/verdicts/:id` as OpenAPI writes it: `/v1/verdicts/{id}`. */
export const pathTemplate = (path: string): string => path.replace(/\/:(\w+)\+?/g, "/{$1}");

/** A mount as the audit log names it: `PUT /admin/tenants/{tenant}`. */
export const actionOf = ({ method, path }: Pick<Mount, "method" | "path">): string =>
  `${method} ${pathTemplate(path)}`;

/** A parameter sorts after every name, so `/verdicts/claim` is found before `/verdicts/:id`. */
const specificity = (path: string): string => path.replace(/\/:\w+\+?/g, "/\uffff");

/** @throws Error when two routes would answer the same requests: a mistake in the list. */
export function mountsOf(routes: readonly Route[]): readonly Mount[] {
  const mounts = routes.flatMap((route): Mount[] => {
    const { method, path, auth, mirror } = route;
    const account = path.startsWith(`${ACCOUNT}/`);
    const own: Mount = { route, method, path, auth, mirrored: false, account };
    const others: Mount[] = [];
    if (mirror !== undefined) {
      others.push({ ...own, path: mirror, auth: { kind: "platform" }, mirrored: true });
    }
    if (route.surface === "openai" && path.startsWith("/v1/")) {
      others.push({ ...own, path: `${ACCOUNT}/ai${path}`, account: true });
    }
    return [own, ...others];
  });
  const seen = new Set<string>();
  for (const { method, path } of mounts) {
    const key = `${method} ${specificity(path)}`;
    if (seen.has(key)) throw new Error(`two routes answer ${method} ${path}`);
    seen.add(key);
  }
  return mounts.toSorted((a, b) => (specificity(a.path) < specificity(b.path) ? -1 : 1));
}

/** Every failure that a mount may answer: the route's own and those of the runner (`ImpliedKind`). */
export function failureKinds({ route, auth }: Mount): readonly FailureKind[] {
  const implied: FailureKind[] = ["invalid_request", "unavailable", "internal"];
  if (auth.kind !== "none") implied.push("invalid_key");
  if (route.body !== undefined) implied.push("body_too_large", "unsupported_media_type");
  return [...new Set([...route.failures, ...implied])];
}
