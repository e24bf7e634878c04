import type { AuditDetail } from "../domain/account/audit-entry.ts";
import type { Role } from "../domain/tenant/role.ts";

// What a route's handler gets and returns.

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
  readonly caller: Who;
  readonly config: Settings;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly requestId: string;
}

export interface Ok<T> {
  readonly kind: "ok";
  readonly body: T;
  /** The reply's declared status when absent. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A stream or a file: sent as it is, with the headers that every reply has. */
export interface Raw {
  readonly kind: "raw";
  readonly response: Response;
  /** For a stream: resolves when its call has ended completely. Never rejects. */
  readonly running?: Promise<void>;
}

/**
 * An act that was done, on a route that says `audit: "act"`. If the platform did it, the runner records
 * it, and only then makes the reply; without a record the reply is `unavailable`.
 */
export interface Acted<Reply> {
  readonly kind: "acted";
  readonly detail: AuditDetail;
  readonly reply: () => Reply | Promise<Reply>;
}

/** @param reply a function, where something is still to be done after the act was recorded */
export const acted = <const Reply extends { readonly kind: string }>(
  detail: AuditDetail,
  reply: Reply | (() => Promise<Reply>),
): Acted<Reply> => ({
  kind: "acted",
  detail,
  reply: typeof reply === "function" ? reply : () => reply,
});

/** Keeps literals: `ok({ object: "list" })` is an `Ok` of just that. */
export const ok = <const T>(body: T, extra: Omit<Ok<T>, "kind" | "body"> = {}): Ok<T> => ({
  kind: "ok",
  body,
  ...extra,
});

export const raw = (response: Response, running?: Promise<void>): Raw => ({
  kind: "raw",
  response,
  ...(running !== undefined && { running }),
});
