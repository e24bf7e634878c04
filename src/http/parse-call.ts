import * as v from "valibot";
import type { Failure, FieldError } from "../domain/ledger/failure.ts";
import { repeatedName } from "../domain/text/json-text.ts";
import type { BodyBudget, BodyClaim } from "../io/body-budget.ts";
import { TENANT_ID, INVALID_KEY } from "./authenticate.ts";
import type { Caller, KeyCaller } from "./call.ts";
import { fieldErrors, shownKey } from "./field-errors.ts";
import { formFingerprint } from "./form.ts";
import { fingerprint } from "./call-labels.ts";
import { type Intake, throwAway } from "./intake.ts";
import type { Mount } from "./mount.ts";
import { readProtoJson } from "./proto-json.ts";
import {
  type BodyFailure,
  countNames,
  isEncoded,
  readBytes,
  readForm,
  readJson,
} from "./read-body.ts";
import type { BodySpec, Schema, Outcome, Route } from "./route.ts";
import type { Reader } from "./written-body.ts";

// Parses path, query and body by the route's own schemas. After that, types are trusted.

/** Longer than any id, name or cursor. */
const MAX_PARAM_CHARS = 200;
/** With more values than this only the first wrong one is reported: each costs an object. */
const EXPLAINED_VALUES = 1000;

const GIVEN_ONCE = "must be given once";

export interface Parsed<T = unknown> {
  readonly kind: "parsed";
  readonly value: T;
}

const parsed = <T>(value: T): Parsed<T> => ({ kind: "parsed", value });

const invalid = (...errors: readonly FieldError[]): BodyFailure => ({
  kind: "invalid_request",
  errors,
});

export function parseWith(
  schema: Schema,
  value: unknown,
  abortEarly = false,
): Parsed | BodyFailure {
  const result = v.safeParse(schema, value, { abortEarly });
  return result.success ? parsed(result.output) : invalid(...fieldErrors(result.issues));
}

export function decodeOnce(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * The path's parameters, percent-decoded once. Two of them are not the route's own: the `tenant` of a
 * mirror, and the `account` of a further path of the route.
 */
export function parseParams(
  mount: Mount,
  encoded: Readonly<Record<string, string>>,
): Parsed<{ readonly params: unknown; readonly tenant: string | null }> | BodyFailure {
  const params: Record<string, string> = {};
  for (const [name, text] of Object.entries(encoded)) {
    const value = decodeOnce(text);
    if (value === null) return invalid({ path: [name], detail: "must be percent-encoded UTF-8" });
    if (value.length > MAX_PARAM_CHARS) {
      return invalid({ path: [name], detail: `must be at most ${MAX_PARAM_CHARS} characters` });
    }
    params[name] = value;
  }
  const { tenant = null, ...own } = params;
  if (mount.mirrored && !TENANT_ID.test(tenant ?? "")) {
    return invalid({ path: ["tenant"], detail: "must be a tenant id" });
  }
  const { account: _, ...unaccounted } = params;
  const values = mount.mirrored ? own : mount.path === mount.route.path ? params : unaccounted;
  const schema = mount.route.params;
  const result = schema === undefined ? parsed<unknown>(values) : parseWith(schema, values);
  if (result.kind !== "parsed") return result;
  return parsed({ params: result.value, tenant: mount.auth.kind === "platform" ? tenant : null });
}

/**
 * Undefined for a route without a query schema: it ignores the query. An empty parameter is absent: one that
 * is required is then missing.
 */
export function parseQuery(
  { query: schema }: Pick<Route, "query">,
  url: URL,
): Parsed | BodyFailure {
  if (schema === undefined) return parsed(undefined);
  const { searchParams } = url;
  const names = [...searchParams.keys()];
  const given = [...searchParams].filter(([, value]) => value !== "");
  const twice = names.find((name, at) => names.indexOf(name) < at);
  return twice === undefined
    ? parseWith(schema, Object.fromEntries(given))
    : invalid({ path: [twice], detail: GIVEN_ONCE });
}

export interface ParsedBody {
  readonly body: unknown;
  readonly rawBody: Uint8Array;
  readonly fingerprint: () => Promise<string>;
}

/** A body before it is parsed by its schema. */
interface Read extends Omit<ParsedBody, "body"> {
  readonly kind: "read";
  readonly value: unknown;
  /** About how many values it holds. */
  readonly values: number;
  /** Names of members in its text. */
  readonly names: number;
}

async function parseBody(
  { spec, request, route }: Pick<BodyRequest, "spec" | "request" | "route">,
  intake: Intake,
): Promise<Parsed<ParsedBody> | Failure> {
  const read = await readAs(spec, request, intake);
  if (read.kind === "body_too_large" && spec.largest !== undefined) {
    return { ...read, field: spec.largest };
  }
  if (read.kind !== "read") return read;
  const { value: sent, values, ...raw } = read;
  const repeated = route.surface === "native" ? repeatedField(read) : null;
  if (repeated !== null) return repeated;
  const mended = mendBody(spec, sent);
  if (mended.kind !== "parsed") return mended;
  if (spec.as === "unread") return parsed({ body: mended.value, ...raw });
  const result = parseWith(spec.schema, mended.value, values > EXPLAINED_VALUES);
  return result.kind === "parsed" ? parsed({ body: result.value, ...raw }) : result;
}

/**
 * If a field is given twice, it is not clear which value is meant. The drop-in surfaces take the last one, as
 * their originals do.
 */
function repeatedField({ value, names, rawBody }: Read): BodyFailure | null {
  if (names <= countNames(value)) return null;
  const path = repeatedName(new TextDecoder().decode(rawBody));
  return path === null ? null : invalid({ path: path.map(shownKey), detail: GIVEN_ONCE });
}

/** A route's body before its schema: with other spellings corrected, or refused in words of its own. */
export function mendBody(
  { mend, refuse }: Pick<BodySpec, "mend" | "refuse">,
  sent: unknown,
): Parsed | BodyFailure {
  const value = mend === undefined ? sent : mend(sent);
  const wrong = refuse?.(value) ?? null;
  return wrong === null ? parsed(value) : invalid(wrong);
}

const EMPTY = new Uint8Array();

/** For a route that takes no body. */
export const NO_BODY: ParsedBody = {
  body: undefined,
  rawBody: EMPTY,
  fingerprint: () => fingerprint(EMPTY),
};

const asBytes = (
  value: unknown,
  bytes: Uint8Array,
  { values, names }: Pick<Read, "values" | "names"> = { values: 1, names: 0 },
): Read => ({
  kind: "read",
  value,
  values,
  names,
  rawBody: bytes,
  fingerprint: () => fingerprint(bytes),
});

/** How many bytes of memory a byte of a body takes until its call is over. */
const WEIGHTS: Readonly<Record<NonNullable<BodySpec["as"]>, number>> = {
  // Its bytes are kept for the fingerprint, and its value takes as much again.
  json: 2,
  // It is also rewritten, which takes as much again.
  "proto-json": 3,
  // Files are views into it.
  multipart: 1,
  // A number for a byte takes at least two bytes of the body.
  unread: 1.5,
};

async function readAs(spec: BodySpec, request: Request, intake: Intake): Promise<Read | Failure> {
  const { limitBytes } = spec;
  intake.claim.weigh(spec.weight ?? WEIGHTS[spec.as ?? "json"]);
  if (spec.as === "unread") {
    if (isEncoded(request.headers)) {
      const because = { kind: "unsupported_media_type", expected: "plain bytes" } as const;
      return throwAway(request, limitBytes, { intake, because });
    }
    const bytes = await readBytes(request, limitBytes, intake);
    return bytes instanceof Uint8Array ? asBytes(undefined, bytes) : bytes;
  }
  if (spec.as === "multipart") {
    const form = await readForm(request, limitBytes, intake, spec.lists);
    if (form.kind !== "form") return form;
    const { fields, parts } = form;
    const named = () => formFingerprint(parts);
    return { ...asBytes(fields, EMPTY, { values: parts.length, names: 0 }), fingerprint: named };
  }
  if (spec.optional === true && !request.headers.has("content-type")) {
    const bytes = await readBytes(request, limitBytes, intake);
    if (!(bytes instanceof Uint8Array)) return bytes;
    if (bytes.length > 0) return { kind: "unsupported_media_type", expected: "application/json" };
    return asBytes({}, bytes);
  }
  const take = spec.as === "proto-json" ? readProtoJson : readJson;
  const read = await take(request, limitBytes, intake);
  return read.kind === "json" ? asBytes(read.value, read.bytes, read) : read;
}

// A request's body from begin to end: it takes memory of the isolate, it is read if it may be, and its
// memory is given back.

/** A request with a large body, and its caller. */
export interface LargeRequest {
  readonly request: Request;
  readonly env: Env;
  readonly requestId: string;
  readonly caller: KeyCaller;
  readonly route: Route;
}

/** Null: the body may be read. `key_ended`: the key has ended and will never be valid again. */
export type MayRead = (
  large: LargeRequest,
) => Promise<Failure | { readonly kind: "key_ended" } | null>;

/** The parts that all requests of an isolate share. */
export interface BodyDeps {
  readonly bodies: BodyBudget;
  readonly endedKeys: EndedKeys;
  readonly mayRead: MayRead;
}

interface BodyRequest extends Omit<LargeRequest, "caller"> {
  readonly caller: Caller | null;
  readonly ctx: ExecutionContext;
  readonly spec: BodySpec;
}

/** A stream may last ten minutes, and is settled at most half a minute after that. */
const STREAM_ALIVE_MS = 720_000;

/**
 * Reads the body and handles the call. The body's memory is given back when the call is over, also when
 * the client leaves, since the work goes on. The platform cuts work that goes on for too long after that,
 * so the budget also frees the memory of requests without activity.
 */
export function withBody(
  of: BodyRequest,
  deps: BodyDeps,
  handle: (body: ParsedBody, moreRoom: BodyClaim["holdMore"]) => Promise<Outcome>,
): Promise<Outcome> {
  const claim = deps.bodies.open(ownerOf(of.caller));
  const intake: Intake = { claim, mayReadOn: once(() => mayReadOn(of, deps)) };
  const work = async (): Promise<Outcome> => {
    let running: Promise<void> | undefined;
    let reader: Reader | undefined;
    try {
      const body = await parseBody(of, intake);
      const outcome =
        body.kind === "parsed" ? await handle(body.value, (bytes) => claim.holdMore(bytes)) : body;
      if (outcome.kind === "raw") ({ running, reader } = outcome);
      return outcome;
    } finally {
      if (running === undefined) claim.release();
      else {
        claim.stayAlive(STREAM_ALIVE_MS);
        const stop = reader === undefined ? () => undefined : watchReader(reader, claim);
        const ended = running.finally(() => {
          stop();
          claim.release();
        });
        of.ctx.waitUntil(ended);
      }
    }
  };
  const outcome = work();
  of.ctx.waitUntil(outcome.catch(() => undefined));
  return outcome;
}

const LOOK_MS = 1000;

/** While others wait for room, a slow reader of a long reply is given up, as a slow sender is. */
function watchReader({ takenBytes, giveUp }: Reader, claim: BodyClaim): () => void {
  claim.replies();
  const timer = setInterval(() => {
    claim.came(takenBytes());
    if (claim.mustGiveWay) giveUp();
  }, LOOK_MS);
  return () => clearInterval(timer);
}

/** The bodies of a tenant share an owner; those of the platform too. */
const ownerOf = (caller: Caller | null): string =>
  caller?.kind === "key" ? `tenant ${caller.tenant}` : "platform";

/** The platform's own token needs no further check. */
async function mayReadOn(of: BodyRequest, deps: BodyDeps): Promise<Failure | null> {
  const { caller } = of;
  if (caller?.kind !== "key") return null;
  const answer = await deps.mayRead({ ...of, caller });
  if (answer?.kind !== "key_ended") return answer;
  deps.endedKeys.add(caller.secretHash);
  return INVALID_KEY;
}

function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let answer: Promise<Result> | null = null;
  return () => (answer ??= ask());
}

// Keys that have ended or expired. That never changes, so further large bodies with such a key are
// refused here without a call to its tenant's object. Other reasons to refuse a key may change, and are
// not remembered.

/** A hash and its place take about 150 bytes. */
const MOST = 4096;

export class EndedKeys {
  readonly #hashes = new Set<string>();

  has(secretHash: string): boolean {
    return this.#hashes.has(secretHash);
  }

  /** The oldest entry makes room. */
  add(secretHash: string): void {
    const [first] = this.#hashes;
    if (this.#hashes.size >= MOST && first !== undefined) this.#hashes.delete(first);
    this.#hashes.add(secretHash);
  }
}
