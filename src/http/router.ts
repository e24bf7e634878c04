import { type Config, type ConfigResult, readConfig } from "../config.ts";
import type { AuditDetail } from "../domain/account/audit-entry.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import { authenticate, INVALID_KEY } from "./authenticate.ts";
import { BodyBudget } from "../io/body-budget.ts";
import type { Acted, Caller, MirrorCaller, PlatformCaller } from "./call.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { NO_RETRY } from "./failure-headers.ts";
import { newId } from "./ids.ts";
import { type Match, matchTable, surfacesOf } from "./match-table.ts";
import { actionOf, type Mount, mountsOf } from "./mount.ts";
import { decodeOnce, NO_BODY, type ParsedBody, parseParams, parseQuery } from "./parse-call.ts";
import { failureResponse, finish, successResponse } from "./reply.ts";
import { logError, logRequest, nameOf } from "./request-log.ts";
import type { Outcome, Route, Surface } from "./route.ts";
import { type BodyDeps, type MayRead, withBody, EndedKeys } from "./with-body.ts";

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

/** Reads the configuration once per environment and logs once what is wrong with it. */
function configReader(): (env: Env) => ConfigResult {
  const known = new WeakMap<Env, ConfigResult>();
  return (env) => {
    const before = known.get(env);
    if (before !== undefined) return before;
    const result = readConfig(env);
    known.set(env, result);
    if (result.kind === "misconfigured") {
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
  const path = parseParams(mount, encoded);
  if (path.kind !== "parsed") return path;
  const { params, tenant } = path.value;
  if (caller?.kind === "platform" && tenant !== null) {
    caller = { ...caller, tenant };
    // Other paths of the platform may name a tenant that there is not: that is not logged.
    if (mount.mirrored) visit.facts.tenant = tenant;
  }
  const query = parseQuery(route.query, url);
  if (query.kind !== "parsed") return query;
  const handle = async (body: ParsedBody): Promise<Outcome> => {
    const outcome = await route.handle({
      request,
      params,
      query: query.value,
      ...body,
      caller,
      config,
      env,
      ctx,
      requestId,
    });
    if (outcome.kind !== "acted") return outcome;
    return afterRecord(outcome, { env, requestId, caller, mount }, shared.record);
  };
  if (route.body === undefined) return handle(NO_BODY);
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
