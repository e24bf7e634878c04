import type { Failure, FailureKind } from "../domain/ledger/failure.ts";
import { failureDetail } from "./failure-detail.ts";
import { failureHeaders } from "./failure-headers.ts";
import { STATUS } from "./failure-status.ts";
import { paramName } from "./field-errors.ts";
import type { ErrorContext, ErrorReply } from "./problem.ts";

// A failure in the shape of Google's Perspective API: clients branch on `error.code`, on `error.status`
// and on the `errorType` among the details. `kind` and `request_id` are extra keys.
// https://cloud.google.com/apis/design/errors

type Detail = { readonly "@type": string } & Readonly<Record<string, unknown>>;

export interface PerspectiveError {
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly status: string;
    readonly details: readonly Detail[];
    readonly kind: FailureKind;
    readonly request_id: string;
  };
}

const TYPE = "type.googleapis.com/";
const COMMENT_ERROR = `${TYPE}google.commentanalyzer.v1alpha1.Error`;

/** The original's own name; clients show it to people. */
const SERVICE = "commentanalyzer.googleapis.com";

/** The names of gRPC's codes that stand for a status. */
const NAMES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  405: "UNIMPLEMENTED",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** Google's front end answers 400 for all of these. */
const BAD_REQUESTS: ReadonlySet<number> = new Set([412, 413, 415, 422]);

/** The statuses of a kind. There, a missing key is another failure than a wrong one. */
export function perspectiveStatuses(kind: FailureKind): readonly number[] {
  if (kind === "invalid_key") return [400, 403];
  const status = STATUS[kind];
  return [BAD_REQUESTS.has(status) ? 400 : status];
}

const statusOf = (failure: Failure): number =>
  failure.kind === "invalid_key" && failure.why === "missing"
    ? 403
    : (perspectiveStatuses(failure.kind)[0] ?? 500);

const NO_KEY =
  "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
const BAD_KEY = "API key not valid. Please pass a valid API key.";
const NOT_OF_ROLE =
  " A key in the address, or from a page of another site, must have the role score.";

const UNKNOWN_FIELD = "is not a known field";

function messageOf(failure: Failure): string {
  switch (failure.kind) {
    case "invalid_key":
      if (failure.why === "missing") return NO_KEY;
      return failure.why === "score_only" ? BAD_KEY + NOT_OF_ROLE : BAD_KEY;
    case "body_too_large":
      return `Request payload size exceeds the limit: ${failure.limitBytes} bytes.`;
    case "invalid_request": {
      const [first] = failure.errors;
      if (first === undefined || first.detail !== UNKNOWN_FIELD) return failureDetail(failure);
      const { field, parent } = named(first.path);
      const at = parent === null ? "" : ` at '${parent}'`;
      return `Invalid JSON payload received. Unknown name "${field}"${at}: Cannot find field.`;
    }
    default:
      return failureDetail(failure);
  }
}

function named(path: readonly (string | number)[]): { field: string; parent: string | null } {
  return { field: String(path.at(-1) ?? ""), parent: paramName(path.slice(0, -1)) };
}

const errorInfo = (reason: string, metadata: Readonly<Record<string, string>> = {}): Detail => ({
  "@type": `${TYPE}google.rpc.ErrorInfo`,
  reason,
  domain: "googleapis.com",
  metadata: { service: SERVICE, ...metadata },
});

/** Our own page on the limits of a tenant. */
const HELP: Detail = {
  "@type": `${TYPE}google.rpc.Help`,
  links: [{ description: "Limits of this gateway", url: "/docs" }],
};

function detailsOf(failure: Failure): readonly Detail[] {
  switch (failure.kind) {
    case "comment_refused": {
      const { errorType, attribute } = failure;
      const languages = attribute !== undefined && {
        languageNotSupportedByAttributeError: {
          attribute: attribute.name,
          detectedLanguages: attribute.detectedLanguages,
        },
      };
      return [{ "@type": COMMENT_ERROR, errorType, ...languages }];
    }
    case "invalid_request":
      return [
        { "@type": COMMENT_ERROR, errorType: "INVALID_REQUEST" },
        {
          "@type": `${TYPE}google.rpc.BadRequest`,
          fieldViolations: failure.errors.map(({ path, detail }) => ({
            field: paramName(path) ?? "",
            description: detail,
          })),
        },
      ];
    case "invalid_key":
      return failure.why === "missing" ? [] : [errorInfo("API_KEY_INVALID")];
    case "tenant_suspended":
      return [errorInfo("CONSUMER_SUSPENDED")];
    case "role_required":
      return [errorInfo("API_KEY_SERVICE_BLOCKED")];
    case "rate_limited":
    case "concurrency_exceeded":
      return [errorInfo("RATE_LIMIT_EXCEEDED"), HELP];
    default:
      return [];
  }
}

export function toPerspectiveError(
  failure: Failure,
  { requestId }: ErrorContext,
): ErrorReply<PerspectiveError> {
  const status = statusOf(failure);
  const { "WWW-Authenticate": _, ...headers } = failureHeaders(failure);
  return {
    status,
    headers: { "Content-Type": "application/json", "x-request-id": requestId, ...headers },
    body: {
      error: {
        code: status,
        message: messageOf(failure),
        status: NAMES[status] ?? "UNKNOWN",
        details: detailsOf(failure),
        kind: failure.kind,
        request_id: requestId,
      },
    },
  };
}
