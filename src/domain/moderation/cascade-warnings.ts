import { anyApplies, uncalibratedBy } from "./cascade.ts";
import type { Policy } from "./policy.ts";
import { TEXT_MODEL } from "./text-model.ts";

// Thresholds of a policy that decide nothing. They are kept, and the judge is asked for every text that they
// would have decided.

export const CASCADE_WARNINGS = ["any_not_calibrated", "other_text_model"] as const;

export interface CascadeWarning {
  readonly kind: (typeof CASCADE_WARNINGS)[number];
  /** A sentence for people, with what to do. */
  readonly detail: string;
}

const AGAIN =
  "The judge is asked instead. Calibrate again (POST /v1/policies/calibrate) and set the tier0 of the reply.";

/** What a policy's `tier0` does not do, and why; empty: all its thresholds apply. */
export function cascadeWarnings(policy: Pick<Policy, "categories" | "tier0">): CascadeWarning[] {
  const { tier0 } = policy;
  if (tier0 === undefined) return [];
  if (tier0.model !== TEXT_MODEL) {
    const detail = `tier0 is not used: it was calibrated for ${tier0.model}, and the text model is ${TEXT_MODEL}. ${AGAIN}`;
    return [{ kind: "other_text_model", detail }];
  }
  const { any } = tier0.thresholds;
  if (any === undefined || anyApplies(any, policy)) return [];
  const why =
    any.categories === undefined
      ? "it does not name the categories that it was calibrated for"
      : `the policy requires ${uncalibratedBy(any, policy).join(", ")}, and it was not calibrated for that`;
  return [
    { kind: "any_not_calibrated", detail: `tier0.thresholds.any is not used: ${why}. ${AGAIN}` },
  ];
}
