import { readConfig } from "../../src/config.ts";
import { MOST_USERS_A_DAY } from "../../src/domain/usage/report-rows.ts";
import type { PolicyEngine } from "../../src/domain/moderation/presets.ts";
import type { PriceOverrides } from "../../src/domain/catalogue/catalogue.ts";

/** What the platform, not the tenant, sets. */
export interface Platform {
  readonly workersPlan: "free" | "paid";
  /** µN per unit by model, over the catalogue's prices. */
  readonly prices: PriceOverrides;
  /** What judges: the default policy of a new tenant requires and asks what it can. */
  readonly inference: PolicyEngine;
  /** Whether webhooks may be delivered to public hosts only. */
  readonly publicTargetsOnly: boolean;
  /** Bytes that the object may grow to. */
  readonly storageLimit: number;
}

const GIGABYTE = 1_073_741_824;

/** Source: Durable Objects' limits for SQLite storage. */
const STORAGE_LIMIT = { free: GIGABYTE, paid: 10 * GIGABYTE } as const;

/** While the environment is misconfigured the router is closed, and nothing uses these defaults. */
export function readPlatform(env: Env): Platform {
  const read = readConfig(env);
  const config = read.kind === "ready" ? read.config : null;
  const workersPlan = config?.workersPlan ?? "free";
  return {
    workersPlan,
    prices: config?.prices ?? {},
    inference: config?.inference ?? "workers-ai",
    publicTargetsOnly: config?.webhookTargets !== "any",
    storageLimit: STORAGE_LIMIT[workersPlan],
  };
}

/** End users who have a row of their own on a day. */
export function reportUsersADay(env: Env): number {
  const read = readConfig(env);
  return read.kind === "ready" ? read.config.reportUsersADay : MOST_USERS_A_DAY;
}
