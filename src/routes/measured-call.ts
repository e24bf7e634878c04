import type { QuotedCall } from "../../durable-objects/tenant/protocol.ts";
import type { FailureKind } from "../domain/ledger/failure.ts";
import type { FailureOf } from "../http/route.ts";

// The measure of a body, which a governed route takes before it calls the tenant's object.

/** The failures of a body before the tenant's object is called. */
export const MISREAD = [
  "invalid_request",
  "unsupported_parameter",
  "unbounded_usage",
  "model_not_found",
] as const satisfies readonly FailureKind[];

export type Misread = FailureOf<(typeof MISREAD)[number]>;

/** The tenant and the headers of a call. */
export interface CallOrigin {
  readonly request: Request;
  readonly caller: { readonly tenant: string };
}

/** `fit` is the call's own header. */
export type MeasuredCall =
  | Omit<Extract<QuotedCall, { kind: "generation" }>, "fit">
  | Exclude<QuotedCall, { kind: "generation" }>;
