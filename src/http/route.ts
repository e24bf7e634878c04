import type * as v from "valibot";
import type { Config } from "../config.ts";
import type { Failure, FailureKind, FieldError } from "../domain/ledger/failure.ts";
import type { Role } from "../domain/tenant/role.ts";
import type { Call, Caller, KeyCaller, LinkCaller, MirrorCaller, PlatformCaller } from "./call.ts";
import type { Acted, Ok, Raw } from "./reply.ts";

// A route is a value: the router, the OpenAPI document and the security tests read the same list.
// Its handler may return the failures that the route declares and no others.

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Decides the error shape: problem+json, OpenAI's, Cloudflare's envelope or Google's. */
export type Surface = "native" | "openai" | "workers-ai" | "perspective";

export type Auth =
  /** `evenMisconfigured`: answered without a configuration, which is then null (`/healthz`). */
  | { readonly kind: "none"; readonly evenMisconfigured?: true }
  /**
   * A tenant key. The role `manage` is always allowed; the list names the others. `orLink`: without a key, a
   * signed link of that path is accepted; its value names the thing in the `not_found` of a bad link.
   */
  | {
      readonly kind: "key";
      readonly roles: readonly Role[];
      readonly orLink?: string;
      /** The key may also be where Google's clients put it: `x-goog-api-key`, or `key` in the query. */
      readonly asGoogle?: true;
    }
  /** The admin token. */
  | { readonly kind: "platform" };

export type Schema = v.GenericSchema;

export interface BodySpec<S extends Schema = Schema> {
  readonly schema: S;
  readonly limitBytes: number;
  /** A missing body is read as `{}`. */
  readonly optional?: true;
  /**
   * JSON when absent. For `multipart/form-data` the schema gets an object of texts and `Upload`s.
   * `unread`: the handler gets the bytes and reads them; the schema describes their JSON form.
   * `proto-json`: JSON as Google's servers take it (`proto-json.ts`), with any content type.
   */
  readonly as?: "json" | "multipart" | "unread" | "proto-json";
  /** For a form: fields that are lists, also where their names come without brackets. */
  readonly lists?: readonly string[];
  /** How many bytes of memory a byte of it takes, where that is more than its form takes. */
  readonly weight?: number;
  /** Corrects other spellings of clients before the schema parses it. */
  readonly mend?: (value: unknown) => unknown;
  /** An error in other words than the schema's; null: none. */
  readonly refuse?: (value: unknown) => FieldError | null;
  /** The field that makes a body too large, where there is one. */
  readonly largest?: string;
}

/** `/admin/tenants/:tenant/ledger`: the platform's path of a tenant's route. */
export type Mirror = `/admin/tenants/:tenant/${string}`;

type ParamNames<P extends string> = P extends `${string}/:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? Name | ParamNames<`/${Tail}`>
    : Rest extends `${infer Name}+`
      ? Name
      : Rest
  : never;

type OutputOf<S> = S extends Schema ? v.InferOutput<S> : undefined;
type ParamsOf<P extends string, S> = S extends Schema
  ? v.InferOutput<S>
  : Readonly<Record<ParamNames<P>, string>>;
type BodyOf<B> = B extends { readonly as: "unread" }
  ? undefined
  : B extends BodySpec<infer S>
    ? v.InferOutput<S>
    : undefined;
type ConfigOf<A> = A extends { readonly evenMisconfigured: true } ? Config | null : Config;
type PlatformOf<P extends string> = "tenant" extends ParamNames<P> ? MirrorCaller : PlatformCaller;
type CallerOf<P extends string, A, M> = A extends { readonly kind: "key" }
  ?
      | KeyCaller
      | (M extends string ? MirrorCaller : never)
      | (A extends { readonly orLink: string } ? LinkCaller : never)
  : A extends { readonly kind: "platform" }
    ? PlatformOf<P>
    : null;
/** What a handler returns: a success of an audited route is an act. */
type ReplyOf<D, Success, F> = D extends "act" ? Acted<Success | F> | F : Success | F;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The failures of some kinds. `Extract` would lose the members that share one `kind` field. */
export type FailureOf<K extends FailureKind, T = Failure> = T extends Failure
  ? [T["kind"] & K] extends [never]
    ? never
    : T & { readonly kind: T["kind"] & K }
  : never;

/** The failures of the runner itself, which no route declares. */
export type ImpliedKind<A, B> =
  | "invalid_request"
  | "unavailable"
  | "internal"
  | (A extends { readonly kind: "none" } ? never : "invalid_key")
  | (B extends BodySpec ? "body_too_large" | "unsupported_media_type" : never);

/**
 * The kind of call that a route asks the tenant's object to admit. The object is asked before a large body
 * is read.
 */
export interface Admits {
  readonly kind: "moderation" | "generation" | "document" | "scoring";
  /** The label of such calls, under which their idempotency keys are kept: `POST /v1/verdicts`. */
  readonly route: string;
}

/**
 * How the audit log learns what the platform did. `act`: every success is one act, named by the method
 * and the path; the handler gives its detail (`acted`), and the runner records it before the reply.
 * `acts`: the handler records what it does by itself, an entry for each act.
 */
export type Audit = "act" | "acts";

interface RouteFacts {
  readonly method: Method;
  /** `/v1/verdicts/:id`; a last `/:model+` takes the rest, slashes included. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description?: string;
  readonly surface: Surface;
  /** Pages of any site may call it; absent: those of `CORS_ORIGINS`. */
  readonly cors?: "any";
  /** Absent: its calls are not admitted by the ledger, so only the key is checked. */
  readonly admits?: Admits;
  /** It starts calls that run later, with the label of its request. */
  readonly startsCalls?: true;
  /** A repeat makes and charges nothing by itself, so an idempotency key has no use. */
  readonly ignoresIdempotencyKey?: true;
}

export interface ReplySpec<S extends Schema = Schema> {
  readonly status: number;
  /** Another status with the same body: 201 where a PUT created something. */
  readonly otherStatus?: number;
  readonly schema: S;
  /** `application/json` when absent. */
  readonly contentType?: string;
  /** Content types of replies that are not as `schema` says: texts, pictures, sounds. */
  readonly otherTypes?: readonly string[];
}

/** A route for lists; `defineRoute` has checked its types. */
export interface Route extends RouteFacts {
  readonly auth: Auth;
  readonly mirror?: Mirror | undefined;
  readonly params?: Schema | undefined;
  readonly query?: Schema | undefined;
  readonly body?: BodySpec | undefined;
  readonly reply: ReplySpec;
  readonly failures: readonly FailureKind[];
  /** Absent: the route changes nothing, or only a tenant's own key can call it. */
  readonly audit?: Audit | undefined;
  // A method, so that handlers of narrower calls are assignable: the runner parses by this route's
  // own schemas before it calls.
  handle(
    call: Call<unknown, unknown, unknown, Caller | null, Config | null>,
  ): Promise<Outcome | Acted<Outcome>>;
}

/** What a request comes to. */
export type Outcome = Ok<unknown> | Raw | Failure;

export function defineRoute<
  const P extends `/${string}`,
  const A extends Auth,
  const K extends FailureKind,
  R extends Schema,
  const M extends Mirror | undefined = undefined,
  S extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends BodySpec | undefined = undefined,
  const D extends Audit | undefined = undefined,
>(
  route: RouteFacts & {
    readonly path: P;
    readonly auth: A;
    readonly mirror?: M;
    readonly params?: S;
    readonly query?: Q;
    readonly body?: B;
    readonly reply: ReplySpec<R>;
    readonly failures: readonly K[];
    readonly audit?: D;
    handle(
      call: Call<ParamsOf<P, S>, OutputOf<Q>, BodyOf<B>, CallerOf<P, A, M>, ConfigOf<A>>,
    ): Promise<
      ReplyOf<D, Ok<DeepReadonly<v.InferOutput<R>>> | Raw, FailureOf<K | ImpliedKind<A, B>>>
    >;
  },
): Route {
  return route;
}
