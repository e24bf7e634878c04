import type { AuditDetail } from "../domain/account/audit-entry.ts";
import type { Role } from "../domain/tenant/role.ts";

// What a route's handler is given and what it gives back.

export interface KeyCaller {
  readonly kind: "key";
  readonly tenant: string;
  /** The tenant's object knows whether it is in force, and its role: it checks both itself. */
  readonly secretHash: string;
  /** The roles that the route admits, for that check. */
  readonly roles: readonly Role[];
  /** The key was sent in an address, or by a page of another site: any other role is no key. */
  readonly scoreOnly?: true;
}

export interface PlatformCaller {
  readonly kind: "platform";
  /** For the audit. */
  readonly actor: string;
}

/** The platform on a tenant's route: the tenant is from the path. */
export interface MirrorCaller extends PlatformCaller {
  readonly tenant: string;
}

/** Whoever has a signed link: it opens what it names, and is nobody to a tenant's object. */
export interface LinkCaller {
  readonly kind: "link";
  readonly tenant: string;
  readonly generation: number;
  readonly expiresAtS: number;
}

export type Caller = KeyCaller | PlatformCaller | MirrorCaller | LinkCaller;

/** What a handler is given: parsed, measured and authenticated. */
export interface Call<Params, Query, Body, Who, Settings> {
  readonly request: Request;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** As sent; empty without a body, and of a form, whose parts are views into it. */
  readonly rawBody: Uint8Array;
  /** Tells a repeat from another request: the same whatever boundary a form was sent with. */
  readonly fingerprint: () => Promise<string>;
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
  /** Of a stream: resolves when nothing of its call runs any more. Never rejects. */
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
