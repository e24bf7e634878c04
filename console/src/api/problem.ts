import type { Problem } from "./shapes.ts";

/** A request that failed. Its message says what is wrong and what to do. */
export class RequestFailed extends Error {
  readonly problem: Problem;
  /** Seconds that the server asks us to wait; null: it did not say. */
  readonly retryAfterS: number | null;
  /** False if a repeat cannot help or would be charged again. */
  readonly mayRepeat: boolean;

  constructor(problem: Problem, { retryAfterS = null as number | null, mayRepeat = false } = {}) {
    super(problem.detail);
    this.name = "RequestFailed";
    this.problem = problem;
    this.retryAfterS = retryAfterS;
    this.mayRepeat = mayRepeat;
  }
}

/** The failure of a request that got no reply, or none in time. */
export const unanswered = (kind: "network" | "timeout"): RequestFailed =>
  new RequestFailed(
    {
      title: kind === "network" ? "No connection" : "No answer in time",
      status: 0,
      detail:
        kind === "network"
          ? "The server could not be reached. Check the connection and try again."
          : "The server did not answer in time. Try again in a moment.",
      kind,
      request_id: null,
    },
    { mayRepeat: true },
  );

const REPEATABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The problem in a response, which may have any of the three error shapes. */
export async function toFailure(response: Response): Promise<RequestFailed> {
  const body: unknown = await response.json().catch(() => null);
  const problem = readProblem(body, response);
  const after = Number(response.headers.get("retry-after"));
  return new RequestFailed(problem, {
    retryAfterS: Number.isFinite(after) && after > 0 ? after : null,
    mayRepeat:
      REPEATABLE.has(response.status) && response.headers.get("x-should-retry") !== "false",
  });
}

function readProblem(body: unknown, response: Response): Problem {
  const requestId = response.headers.get("x-request-id");
  const fields = isRecord(body) ? body : {};
  const openAi = isRecord(fields["error"]) ? fields["error"] : null;
  if (openAi !== null) {
    return {
      title: "The call was refused",
      status: response.status,
      detail: text(openAi["message"]) ?? `The server answered ${response.status}.`,
      kind: text(openAi["kind"]) ?? text(openAi["code"]) ?? "error",
      request_id: text(openAi["request_id"]) ?? requestId,
    };
  }
  return {
    ...(fields as Partial<Problem>),
    title: text(fields["title"]) ?? "The server refused the request",
    status: response.status,
    detail: text(fields["detail"]) ?? `The server answered ${response.status}.`,
    kind: text(fields["kind"]) ?? "error",
    request_id: text(fields["request_id"]) ?? requestId,
  };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Messages by the field of the form: the pointer `#/rpm/requests` becomes `rpm.requests`. */
export function fieldErrors(error: unknown): ReadonlyMap<string, string> {
  const errors = error instanceof RequestFailed ? (error.problem.errors ?? []) : [];
  return new Map(errors.map(({ pointer, detail }) => [fieldName(pointer), detail]));
}

export const fieldName = (pointer: string): string =>
  pointer
    .replace(/^#\//, "")
    .split("/")
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");
