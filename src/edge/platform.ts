import { readConfig } from "../config.ts";
import type { Platform } from "../domain/tenant/platform.ts";
import { MOST_USERS_A_DAY } from "../domain/usage/report-rows.ts";

// What the configuration says to the objects. They are handed these in `src/index.ts`.

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
