import type { PriceOverrides } from "../catalogue/catalogue.ts";
import type { PolicyEngine } from "../moderation/presets.ts";

/** What the platform, not the tenant, sets. */
export interface Platform {
  readonly workersPlan: "free" | "paid";
  /** µN per unit by model, over the catalogue's prices. */
  readonly prices: PriceOverrides;
  /** What judges: the default policy of a new tenant requires and asks what it can. */
  readonly inference: PolicyEngine;
  /** Whether webhooks may be delivered to public hosts only. */
  readonly publicTargetsOnly: boolean;
  /** Bytes that a tenant's object may grow to. */
  readonly storageLimit: number;
}
