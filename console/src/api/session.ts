import { createApi, type Api } from "./client.ts";
import { RequestFailed } from "./problem.ts";
import type { Role } from "./shapes.ts";

// Who is signed in. The token is in memory and, if wanted, in this tab's session storage: never in a
// URL, a cookie or anything that outlives the tab.

export type Session =
  /** Without a token: Cloudflare Access, which stands before the server, says who it is. */
  | { readonly kind: "platform"; readonly token: string | null }
  | {
      readonly kind: "tenant";
      readonly token: string;
      readonly tenant: string;
      readonly role: Role;
    };

const STORED = "neurogate.session";

type Listener = () => void;

let current: Session | null = null;
let ended: string | null = null;
const listeners = new Set<Listener>();

export const session = (): Session | null => current;

/** Why the last session ended, where it did not end by the person's own wish. */
export const endedWhy = (): string | null => ended;

export function onSession(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: Session | null, why: string | null): void {
  current = next;
  ended = why;
  for (const listener of listeners) listener();
}

export function signOut(why: string | null = null): void {
  storage()?.removeItem(STORED);
  set(null, why);
}

export const api: Api = createApi({
  token: () => current?.token ?? null,
  refused: () => {
    if (current === null) return;
    signOut("You were signed out: the server no longer accepts this token. It may have ended.");
  },
});

/** The path of what belongs to a tenant, for whoever is signed in. */
export function tenantPath(tenant: string, rest: `/${string}`): string {
  return current?.kind === "tenant"
    ? `/v1${rest}`
    : `/admin/tenants/${encodeURIComponent(tenant)}${rest}`;
}

/** @throws RequestFailed when the token opens nothing, or nothing answers */
export async function signIn(token: string, keep: boolean): Promise<void> {
  const next = await identify(token);
  if (keep) storage()?.setItem(STORED, JSON.stringify(next));
  set(next, null);
}

/**
 * As whom Cloudflare Access has let in.
 *
 * @throws RequestFailed when nobody stands before the server, or the server does not believe it
 */
export async function signInByAccess(): Promise<void> {
  await api.get("/admin/tenants", { limit: 1 });
  set({ kind: "platform", token: null }, null);
}

/** What this tab remembers, as it was: the next request tells whether it still holds. */
export function restore(): void {
  const stored = storage()?.getItem(STORED) ?? null;
  if (stored === null) return;
  try {
    set(JSON.parse(stored) as Session, null);
  } catch {
    storage()?.removeItem(STORED);
  }
}

/** A browser may forbid storage: then the token lives in memory alone. */
function storage(): Storage | null {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null;
  }
}

/** `ng_<tenant>_<secret>`; anything else is taken for the admin token. */
export const tenantOf = (token: string): string | null =>
  /^ng_([a-z0-9][a-z0-9-]{0,38})_/.exec(token)?.[1] ?? null;

async function identify(token: string): Promise<Session> {
  const tenant = tenantOf(token);
  if (tenant === null) {
    await api.get("/admin/tenants", { limit: 1 }, { token });
    return { kind: "platform", token };
  }
  return { kind: "tenant", token, tenant, role: await roleOf(token) };
}

/** No route tells a key its role, so some that differ are asked: the most powerful first. */
async function roleOf(token: string): Promise<Role> {
  const asked: readonly [Role, string][] = [
    ["manage", "/v1/keys?limit=1"],
    ["call", "/v1/limits"],
    ["review", "/v1/verdicts?limit=1"],
  ];
  for (const [role, path] of asked) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until one opens
      await api.get(path, {}, { token });
      return role;
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.problem.kind !== "role_required") throw error;
    }
  }
  return "score";
}

/** What a role opens: `manage` everything of the tenant. */
export function may(...roles: readonly Role[]): boolean {
  if (current === null) return false;
  return current.kind === "platform" || current.role === "manage" || roles.includes(current.role);
}
