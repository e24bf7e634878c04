import type { QuotedCall } from "../../durable-objects/tenant/protocol.ts";
import type { FailureKind } from "../domain/ledger/failure.ts";
import type { FailureOf } from "../http/route.ts";

// What a governed route reads of a body before the tenant's object is asked.

/** What a body can be refused for before the tenant's object is asked. */
export const MISREAD = [
  "invalid_request",
  "unsupported_parameter",
  "unbounded_usage",
  "model_not_found",
] as const satisfies readonly FailureKind[];

export type Misread = FailureOf<(typeof MISREAD)[number]>;

/** Whose call it is, and with which headers. */
export interface CallOrigin {
  readonly request: Request;
  readonly caller: { readonly tenant: string };
}

/** `fit` is the call's own header. */
export type MeasuredCall =
  | Omit<Extract<QuotedCall, { kind: "generation" }>, "fit">
  | Exclude<QuotedCall, { kind: "generation" }>;
