import { IttyRouter } from "itty-router";
import { type Config, type ConfigResult, readConfig } from "../config.ts";
import type { AuditDetail } from "../domain/account/audit-entry.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import { BodyBudget } from "../io/body-budget.ts";
import { authenticate, INVALID_KEY } from "./authenticate.ts";
import type { Caller, MirrorCaller, PlatformCaller } from "./call.ts";
import { labelsOf, NO_LABELS } from "./call-labels.ts";
import { NO_RETRY } from "./failure-headers.ts";
import { newId } from "./ids.ts";
import { actionOf, type Mount, mountsOf, ACCOUNT } from "./mount.ts";
import { isOpenAiPath, nearbyOf } from "./nearby-paths.ts";
import {
  decodeOnce,
  NO_BODY,
  type ParsedBody,
  parseParams,
  parseQuery,
  type BodyDeps,
  type MayRead,
  withBody,
  EndedKeys,
} from "./parse-call.ts";
import {
  type Acted,
  corsHeaders,
  preflight,
  failureResponse,
  finish,
  successResponse,
} from "./reply.ts";
import { logError, logRequest, nameOf } from "./request-log.ts";
import type { Outcome, Route, Surface } from "./route.ts";

// The steps of a request at the edge: an id, the configuration, the caller, parsed values, the route's
// handler, one reply. Nothing about quota or moderation is decided here.

type Found = Extract<Match, { kind: "found" }>;

/** One request, as every step gets it. */
interface Visit {
  readonly request: Request;
  readonly url: URL;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly requestId: string;
  /** What the steps find out, for the log. */
  readonly facts: { tenant: string | null; kind: string | null };
}

/** Reads the configuration, and logs once for each environment what is wrong with it. */
function configReader(): (env: Env) => ConfigResult {
  const logged = new WeakSet<Env>();
  return (env) => {
    const result = readConfig(env);
    if (result.kind === "misconfigured" && !logged.has(env)) {
      logged.add(env);
      logError({ error: "misconfigured", settings: result.problems });
    }
    return result;
  };
}

/** The steps of a call, each of which may end it. The key is checked before the body is read. */
async function run(
  visit: Visit,
  { mount, params: encoded }: Found,
  config: Config | null,
  shared: SharedDeps,
): Promise<Outcome> {
  const { request, url, env, ctx, requestId } = visit;
  const { route } = mount;
  let caller: Caller | null = null;
  if (mount.auth.kind !== "none") {
    if (config === null) return { kind: "unavailable" };
    const known = await authenticate(request, mount.auth, config);
    if (known !== null && isRefusal(known)) return known;
    if (known !== null && "tenant" in known) visit.facts.tenant = known.tenant;
    if (known?.kind === "key" && shared.endedKeys.has(known.secretHash)) return INVALID_KEY;
    if (mount.account && !isOwnAccount(known, encoded["account"])) return INVALID_KEY;
    caller = known;
  }
  const labels = route.method === "POST" ? labelsOf(request) : NO_LABELS;
  if (labels.kind !== "read") return labels;
  const path = parseParams(mount, encoded);
  if (path.kind !== "parsed") return path;
  const { params, tenant } = path.value;
  if (caller?.kind === "platform" && tenant !== null) {
    caller = { ...caller, tenant };
    // Other paths of the platform may name a tenant that there is not: that is not logged.
    if (mount.mirrored) visit.facts.tenant = tenant;
  }
  const query = parseQuery(route, url);
  if (query.kind !== "parsed") return query;
  const handle = async (
    body: ParsedBody,
    moreRoom: (bytes: number) => boolean | Promise<boolean>,
  ): Promise<Outcome> => {
    const outcome = await route.handle({
      request,
      params,
      query: query.value,
      ...body,
      moreRoom,
      context: labels.context,
      caller,
      config,
      env,
      ctx,
      requestId,
    });
    if (outcome.kind !== "acted") return outcome;
    return afterRecord(outcome, { env, requestId, caller, mount }, shared.record);
  };
  if (route.body === undefined) return handle(NO_BODY, () => false);
  return withBody({ ...visit, caller, route, spec: route.body }, shared, handle);
}

/** The reply of an act, once the audit log has it. What a tenant does with its own key is not in it. */
async function afterRecord(
  { detail, reply }: Acted<Outcome>,
  {
    caller,
    mount,
    ...call
  }: Pick<Visit, "env" | "requestId"> & { caller: Caller | null; mount: Mount },
  record: RecordAct,
): Promise<Outcome> {
  const isRecorded =
    caller?.kind !== "platform" || (await record({ ...call, caller }, actionOf(mount), detail));
  return isRecorded ? reply() : { kind: "unavailable" };
}

const isRefusal = (known: Caller | Failure): known is Failure =>
  known.kind === "invalid_key" || known.kind === "not_found" || known.kind === "unavailable";

/** False for a key of another tenant than the path's: it gets the same reply as no key. */
const isOwnAccount = (caller: Caller | null, encoded = ""): boolean =>
  caller?.kind === "key" && decodeOnce(encoded) === caller.tenant;

/** The origins of pages that may call this. */
function originsFor(match: Match, config: Pick<Config, "corsOrigins"> | null): readonly string[] {
  const cors = match.kind === "found" ? match.mount.route.cors : match.cors;
  return cors === "any" ? ["*"] : (config?.corsOrigins ?? []);
}

const answersAnyway = (match: Match): boolean =>
  match.kind === "found" &&
  match.mount.auth.kind === "none" &&
  match.mount.auth.evenMisconfigured === true;

/** The settings of a gateway that is closed. */
const CLOSED: Pick<Config, "corsOrigins" | "logLevel"> = { corsOrigins: [], logLevel: "info" };

export interface Router {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response>;
}

/**
 * Writes an act of the platform into the audit log.
 *
 * @returns false when it could not be recorded: the reply must then not be a success
 */
type RecordAct = (
  call: {
    readonly env: Env;
    readonly requestId: string;
    readonly caller: PlatformCaller | MirrorCaller;
  },
  action: string,
  detail: AuditDetail,
) => Promise<boolean>;

type SharedDeps = BodyDeps & { readonly record: RecordAct };

export interface RouterDeps {
  /** Asked before a tenant's large body is read. */
  readonly mayRead: MayRead;
  readonly record: RecordAct;
  /** The memory that bodies may take; absent: as much as an isolate has for them. */
  readonly bodies?: BodyBudget;
}

/** @throws Error when two routes would answer the same requests */
export function createRouter(
  routes: readonly Route[],
  { mayRead, record, bodies = new BodyBudget() }: RouterDeps,
): Router {
  const shared: SharedDeps = { bodies, endedKeys: new EndedKeys(), mayRead, record };
  const table = matchTable(mountsOf(routes));
  const surfaceFor = surfacesOf(routes);
  const configFor = configReader();

  async function answer(visit: Visit, match: Match, surface: Surface): Promise<Response> {
    const context = { requestId: visit.requestId, instance: visit.url.pathname };
    const settings = configFor(visit.env);
    const config = settings.kind === "ready" ? settings.config : null;
    if (config === null && !answersAnyway(match)) {
      visit.facts.kind = "unavailable";
      const closed = failureResponse(surface, { kind: "unavailable" }, context);
      // Unlike an object that did not answer, this lasts until the next deployment.
      return new Response(closed.body, {
        status: closed.status,
        headers: { ...Object.fromEntries(closed.headers), ...NO_RETRY },
      });
    }
    if (match.kind === "missing") {
      const early = preflight(visit.request, originsFor(match, config), match.allow);
      if (early !== null) return early;
      const { allow, nearby } = match;
      const failure: Failure =
        allow.length > 0
          ? { kind: "method_not_allowed", allow }
          : { kind: "not_found", what: "path", nearby };
      visit.facts.kind = failure.kind;
      return failureResponse(surface, failure, context);
    }
    const outcome = await run(visit, match, config, shared);
    if (outcome.kind === "ok" || outcome.kind === "raw") {
      return successResponse(outcome, match.mount.route.reply);
    }
    visit.facts.kind = outcome.kind;
    return failureResponse(surface, outcome, context);
  }

  return {
    async fetch(request, env, ctx) {
      const startedMs = Date.now();
      const requestId = newId("req");
      const url = new URL(request.url);
      const match = table.match(request.method, url.pathname);
      const surface = surfaceFor(match, url);
      const facts: Visit["facts"] = { tenant: null, kind: null };
      const route = match.kind === "found" ? match.mount.path : null;
      let response;
      try {
        response = await answer({ request, url, env, ctx, requestId, facts }, match, surface);
      } catch (error) {
        const label = match.kind === "found" ? `${match.mount.method} ${route}` : null;
        logError({ request_id: requestId, route: label, error: nameOf(error) });
        facts.kind = "internal";
        const context = { requestId, instance: url.pathname };
        response = failureResponse(surface, { kind: "internal" }, context);
      }
      const settings = configFor(env);
      const { corsOrigins, logLevel } = settings.kind === "ready" ? settings.config : CLOSED;
      logRequest(logLevel, { requestId, request, route, response, startedMs, ...facts });
      return finish(response, request, {
        "x-request-id": requestId,
        ...corsHeaders(request, originsFor(match, { corsOrigins })),
      });
    },
  };
}

// itty-router only makes the regular expressions that find a route. Its own `fetch` would parse the URL
// and its query again with every request.

type Match =
  | {
      readonly kind: "found";
      readonly mount: Mount;
      readonly params: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "missing";
      /** The methods of that path; empty where there is no such path. */
      readonly allow: readonly string[];
      /** Existing paths that may be meant, where there is no such path. */
      readonly nearby: readonly string[];
      /** The surface of the path that is surely meant. */
      readonly surface?: Surface;
      /** `any`: pages of any site may call the routes at that path. */
      readonly cors?: "any";
    };

/** itty-router reads `:name` anywhere as a parameter; here only a segment is one. Signs may be escaped. */
const pattern = (path: string): string =>
  path.replace(/(?<!\/):/g, "(?:[:]|%3[Aa])").replaceAll("$", "(?:[$]|%24)");

/** itty-router takes `/v1/verdicts/` for `/v1/verdicts`, and `run//model` for the model `/model`. */
const hasNoRoute = (pathname: string): boolean => /.\/$|\/\//.test(pathname);

function matcherOf({ path }: Mount): RegExp {
  const itty = IttyRouter();
  itty.all(pattern(path), () => undefined);
  const [route] = itty.routes;
  if (route === undefined) throw new Error(`no expression for ${path}`);
  return route[1];
}

/**
 * Longer than any path here, whose parameters have at most 200 characters each. A longer path is not
 * looked up at all.
 */
const MAX_PATH_CHARS = 4096;

export interface MatchTable {
  match(method: string, pathname: string): Match;
}

/** A mount with the expression of its path. */
interface Entry {
  readonly mount: Mount;
  readonly matcher: RegExp;
}

function matchTable(mounts: readonly Mount[]): MatchTable {
  const entries: readonly Entry[] = mounts.map((mount) => ({ mount, matcher: matcherOf(mount) }));
  const rivals = rivalsOf(entries);
  const nowhere = { kind: "missing", allow: [], nearby: [] } as const satisfies Match;

  /** The most specific path that matches, for any method. */
  const pathOf = (pathname: string): string | undefined =>
    isOpenAiPath(pathname) && !entries.some(({ mount }) => mount.path === pathname)
      ? undefined
      : entries.find(({ matcher }) => matcher.test(pathname))?.mount.path;

  function missing(pathname: string): Match {
    const path = hasNoRoute(pathname) ? undefined : pathOf(pathname);
    const there = mounts.filter((mount) => mount.path === path);
    if (there.length === 0) {
      const found = (spelt: string) => entries.find(({ matcher }) => matcher.test(spelt))?.mount;
      const { paths, ...meant } = nearbyOf(pathname, found, mounts);
      return { ...nowhere, nearby: paths, ...meant };
    }
    const methods = there.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    const isForAnyPage = there.every(({ route }) => route.cors === "any");
    return { ...nowhere, allow: methods, ...(isForAnyPage && { cors: "any" }) };
  }

  return {
    match(method, pathname) {
      if (pathname.length > MAX_PATH_CHARS) return nowhere;
      if (hasNoRoute(pathname)) return missing(pathname);
      const wanted = method === "HEAD" ? "GET" : method;
      for (const entry of entries) {
        const { mount, matcher } = entry;
        const found = mount.method === wanted ? matcher.exec(pathname) : null;
        if (found === null) continue;
        const isRivalled = rivals.get(entry)?.some((rival) => rival.test(pathname)) === true;
        if (isRivalled || (found.groups !== undefined && isOpenAiPath(pathname))) {
          return missing(pathname);
        }
        return { kind: "found", mount, params: found.groups ?? {} };
      }
      return missing(pathname);
    },
  };
}

/**
 * Exact paths that also match a path with a parameter: `/v1/verdicts/claim` is a path of its own under
 * every method, never the verdict `claim`.
 */
function rivalsOf(entries: readonly Entry[]): ReadonlyMap<Entry, readonly RegExp[]> {
  const isOf = ({ mount, matcher }: Entry, other: Entry): boolean =>
    other.mount.path !== mount.path && matcher.test(other.mount.path);
  return new Map(
    entries.map((entry) => [
      entry,
      entries.filter((other) => isOf(entry, other)).map(({ matcher }) => matcher),
    ]),
  );
}

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

function surfacesOf(routes: readonly Route[]): (match: Match, url: URL) => Surface {
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
