import { LOG_LEVELS, type LogLevel } from "../config.ts";

// What the log says of a request: one line when it is answered, with ids, names and numbers, and
// nothing of what a caller has written. A path is its route's pattern; a query is never told, nor a
// header, a key or a user's id.

export interface AnsweredRequest {
  readonly requestId: string;
  readonly request: Request;
  /** The pattern of the route that was found: `/v1/verdicts/:id`. */
  readonly route: string | null;
  readonly response: Response;
  readonly startedMs: number;
  /** Whose key it was, or whom the platform named. */
  readonly tenant: string | null;
  /** Of a failure. */
  readonly kind: string | null;
}

/** Of an answer, a refusal and a failure of ours. */
const levelOf = (status: number): LogLevel =>
  status >= 500 ? "error" : status >= 400 ? "warn" : "info";

/** @param least lines of a lower level are not written */
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

/** Names only, since an exception's message and stack may hold content. */
export function logError(line: Readonly<Record<string, unknown>>): void {
  // oxlint-disable-next-line no-console -- as above
  console.error(JSON.stringify(line));
}

/** What the log says of an exception. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown");
