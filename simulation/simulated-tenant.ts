import { create } from "../durable-objects/tenant/configure.ts";
import { makeParts } from "../durable-objects/tenant/parts.ts";
import { Steps } from "../durable-objects/tenant/steps.ts";
import { ZERO } from "../src/domain/micro-neurons.ts";
import { withDefaults } from "../src/domain/settings.ts";
import type { CrashingDatabase } from "./crashing-database.ts";

/** The day that begins in the midst of a history begins a month too. */
export const START_MS = Date.UTC(2026, 10, 30, 23, 58);

/** What a picture's labels are held and charged at: the simulation's contents are pictures. */
export const ONE_PICTURE = 228_055;

export const PLATFORM = {
  workersPlan: "free",
  prices: {},
  publicTargetsOnly: true,
  inference: "embedded",
  storageLimit: Number.MAX_SAFE_INTEGER,
} as const;

/** Schema, settings and policy of a tenant, made once for all histories. */
export function prepareTenant(db: CrashingDatabase, id = "simulated"): void {
  const parts = makeParts(db, PLATFORM);
  const birth = { id, generation: 1, carried: { day: 0, posted: ZERO }, contentSecret: "00" };
  const settings = withDefaults({ plan: "free", daily_neurons: 2 });
  create(parts, new Steps(parts, () => START_MS), { birth, settings, wallMs: START_MS });
}
