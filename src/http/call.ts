import type { Role } from "../domain/tenant/role.ts";

// What a route's handler gets. What it returns is in reply.ts.

export interface KeyCaller {
  readonly kind: "key";
  readonly tenant: string;
  /** The tenant's object knows whether the key is valid, and its role: it checks both itself. */
  readonly secretHash: string;
  /** The roles that the route admits, for that check. */
  readonly roles: readonly Role[];
  /** The key was sent in an address, or by a page of another site: only role `score` is accepted. */
  readonly scoreOnly?: true;
}

export interface PlatformCaller {
  readonly kind: "platform";
  /** The name in the audit. */
  readonly actor: string;
}

/** The platform on a tenant's route: the mirror's path names the tenant. */
export interface MirrorCaller extends PlatformCaller {
  readonly tenant: string;
}

/** A caller with a signed link. It opens only its own path; the tenant's object does not check it. */
export interface LinkCaller {
  readonly kind: "link";
  readonly tenant: string;
  readonly generation: number;
  readonly expiresAtS: number;
}

export type Caller = KeyCaller | PlatformCaller | MirrorCaller | LinkCaller;

/** A call that was parsed, measured and authenticated. */
export interface Call<Params, Query, Body, Who, Settings> {
  readonly request: Request;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** As sent; empty without a body, and for a form, whose parts are views into it. */
  readonly rawBody: Uint8Array;
  /** Tells a repeat from another request. The boundary of a form does not change it. */
  readonly fingerprint: () => Promise<string>;
  /** Room for so many bytes of memory beside the body, until the call is over; false: there is none. */
  readonly moreRoom: (bytes: number) => boolean | Promise<boolean>;
  /** The caller's own label of the calls that the request makes; null: it has none. */
  readonly context: string | null;
  readonly caller: Who;
  readonly config: Settings;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly requestId: string;
}
