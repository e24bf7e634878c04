import { create } from "../durable-objects/tenant/configure.ts";
import { openStores } from "../durable-objects/tenant/stores.ts";
import { putPolicy } from "../durable-objects/tenant/policies/policies.ts";
import { Transactions } from "../durable-objects/tenant/transactions.ts";
import { defaultPolicy } from "../src/domain/moderation/presets.ts";
import { ZERO } from "../src/domain/ledger/micro-neurons.ts";
import { withDefaults } from "../src/domain/tenant/settings.ts";
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
  const stores = openStores(db, PLATFORM);
  const birth = { id, generation: 1, carried: { day: 0, posted: ZERO }, contentSecret: "00" };
  const settings = withDefaults({ plan: "free", daily_neurons: 2 });
  const transactions = new Transactions(stores, () => START_MS);
  create(stores, transactions, { birth, settings, wallMs: START_MS });
  const profile = transactions.profile();
  if (profile === null) throw new Error("the tenant was not made");
  // Equal contents are answered with the verdict that there is, for a while.
  const policy = { ...defaultPolicy("embedded"), reuse_ttl_s: 60 };
  const asked = { name: "default", policy, expected: null };
  transactions.run(profile, (tx) => putPolicy(tx, asked));
}
