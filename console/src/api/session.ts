import { createApi, type Api } from "./client.ts";
import { RequestFailed } from "./problem.ts";
import type { Role } from "./shapes.ts";

// The signed-in person. The token is in memory and, if the person wants that, in this tab's session
// storage. It is never in a URL, a cookie or anything that outlives the tab.

export type Session =
  /** Without a token Cloudflare Access, in front of the server, identifies the person. */
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

/** Why the last session ended; null if the person signed out. */
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

/** A tenant's path: `/v1/…` with the tenant's key, `/admin/tenants/{tenant}/…` for the platform. */
export function tenantPath(tenant: string, rest: `/${string}`): string {
  return current?.kind === "tenant"
    ? `/v1${rest}`
    : `/admin/tenants/${encodeURIComponent(tenant)}${rest}`;
}

/** @throws RequestFailed when the token is not accepted or the server does not answer */
export async function signIn(token: string, keep: boolean): Promise<void> {
  const next = await identify(token);
  if (keep) storage()?.setItem(STORED, JSON.stringify(next));
  set(next, null);
}

/**
 * Signs in as the person that Cloudflare Access identified.
 *
 * @throws RequestFailed when Access is not in front of the server, or the server rejects its token
 */
export async function signInByAccess(): Promise<void> {
  await api.get("/admin/tenants", { limit: 1 });
  set({ kind: "platform", token: null }, null);
}

/** The session that this tab stored. The next request shows whether its token is still valid. */
export function restore(): void {
  const stored = storage()?.getItem(STORED) ?? null;
  if (stored === null) return;
  try {
    set(JSON.parse(stored) as Session, null);
  } catch {
    storage()?.removeItem(STORED);
  }
}

/** A browser may forbid storage. Then the token is only in memory. */
function storage(): Storage | null {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null;
  }
}

/** The tenant in `ng_<tenant>_<secret>`. Any other token is treated as an admin token. */
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

/** No route returns a key's role. So we try routes that need different roles, the strongest role first. */
async function roleOf(token: string): Promise<Role> {
  const asked: readonly [Role, string][] = [
    ["manage", "/v1/keys?limit=1"],
    ["call", "/v1/limits"],
    ["review", "/v1/verdicts?limit=1"],
  ];
  for (const [role, path] of asked) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until one is allowed
      await api.get(path, {}, { token });
      return role;
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.problem.kind !== "role_required") throw error;
    }
  }
  return "score";
}

/** Whether the session may use what one of `roles` may use; `manage` may use everything of the tenant. */
export function may(...roles: readonly Role[]): boolean {
  if (current === null) return false;
  return current.kind === "platform" || current.role === "manage" || roles.includes(current.role);
}
