import { LOG_LEVELS, type LogLevel } from "../config.ts";

// The log of a request: one line when it is answered, with ids, names and numbers, and nothing that a
// caller wrote. A path is logged as its route's pattern. A query, a header, a key or a user's id is never
// logged.

export interface AnsweredRequest {
  readonly requestId: string;
  readonly request: Request;
  /** The pattern of the route that was found: `/v1/verdicts/:id`. */
  readonly route: string | null;
  readonly response: Response;
  readonly startedMs: number;
  /** The tenant of the key, or the one that the platform named. */
  readonly tenant: string | null;
  /** The kind of a failure. */
  readonly kind: string | null;
}

/** `info` for an answer, `warn` for a refusal, `error` for a failure of ours. */
const levelOf = (status: number): LogLevel =>
  status >= 500 ? "error" : status >= 400 ? "warn" : "info";

/** @param least lines below this level are not written */
export function logRequest(least: LogLevel, answered: AnsweredRequest): void {
  const { requestId, request, route, response, startedMs, tenant, kind } = answered;
  const level = levelOf(response.status);
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
  const microNeurons = response.headers.get("x-neurogate-micro-neurons");
  const line = {
    level,
    event: "request",
    request_id: requestId,
    method: request.method,
    route,
    status: response.status,
    kind,
    tenant,
    duration_ms: Math.max(0, Date.now() - startedMs),
    micro_neurons: microNeurons === null ? null : Number(microNeurons),
  };
  // oxlint-disable-next-line no-console -- structured logs go to the console
  console.log(JSON.stringify(line));
}

/** Pass names only, since an exception's message and stack may contain content. */
export function logError(line: Readonly<Record<string, unknown>>): void {
  // oxlint-disable-next-line no-console -- as above
  console.error(JSON.stringify(line));
}

/** The name of an exception, for the log. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown");
