import { TENANT_FEATURES } from "../durable-objects/tenant/features.ts";
import type { Profile } from "../durable-objects/tenant/profile-store.ts";
import { openStores } from "../durable-objects/tenant/stores.ts";
import { dayOf } from "../src/domain/ledger/period.ts";
import { PLATFORM } from "./simulated-tenant.ts";
import type { TenantProcess } from "./tenant-process.ts";

/** What is kept in memory is what an object that starts now would read. */
export function checkMemory(process: TenantProcess, profile: Profile, wallMs: number): void {
  const inMemory = process.node.stores.ledger;
  const { nowMs } = inMemory;
  const host = {
    database: process.db,
    platform: PLATFORM,
    features: TENANT_FEATURES,
    wallMs: () => wallMs,
  };
  const read = openStores(host).ledger;
  const sums = (ledger: typeof read) => {
    const { startsAtMs, posted } = ledger.month(profile);
    const pending = ledger.pending(dayOf(nowMs));
    return { month: { startsAtMs, posted }, pending, grants: ledger.grants.openAt(nowMs) };
  };
  const [kept, stored] = [sums(inMemory), sums(read)];
  // A clock that no admission wrote down may still be in the month before.
  if (kept.month.startsAtMs !== stored.month.startsAtMs) stored.month = kept.month;
  if (JSON.stringify(kept) !== JSON.stringify(stored)) {
    throw new Error(`in memory ${JSON.stringify(kept)}, stored ${JSON.stringify(stored)}`);
  }
}
