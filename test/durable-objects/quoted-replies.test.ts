import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { TenantContext } from "../../durable-objects/tenant/feature.ts";
import { openStores } from "../../durable-objects/tenant/stores.ts";
import { REPLAY_FEATURE } from "../../durable-objects/tenant/calls/replay.ts";
import { startOf } from "../../src/domain/ledger/period.ts";
import { hostOn } from "./a-node.ts";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DAY_MS,
  idempotency,
  inTenant,
  NOW,
  PLATFORM,
  rows,
  stopClock,
} from "./a-tenant.ts";

// A kept reply that may quote documents is kept as long as all of them are there.

beforeEach(() => stopClock());
afterEach(cleanUp);

const storeDocument = (tenant: ATenant, id: string, createdAtMs = NOW - 1) =>
  rows(
    tenant.id,
    `INSERT INTO documents (id, file, state, type, user_id, content_type, bytes, characters,
      hidden_passages, created_at_ms, expires_at_ms, tasks)
      VALUES (?, ?, 'ready', 'report', NULL, 'text/plain', 1, 1, 0, ?, ?, '[]')`,
    id,
    `jnl_${id}`,
    createdAtMs,
    NOW + 9 * DAY_MS,
  );

let keys = 0;

/** A call whose reply may quote these documents. */
async function answer(tenant: ATenant, ...quotes: readonly string[]): Promise<void> {
  keys += 1;
  const hold = await tenant.hold({ idempotency: idempotency(`k-${keys}`) });
  const body = new TextEncoder().encode(quotes.join()).slice().buffer;
  const reply = { contentType: "text/plain", body, quotes };
  await tenant.settle(hold, { verdicts: [], reply });
}

async function kept(tenant: ATenant): Promise<readonly string[]> {
  const found = await rows(tenant.id, "SELECT body FROM replies ORDER BY call_id");
  return found.map(({ body }) => new TextDecoder().decode(body as ArrayBuffer)).toSorted();
}

describe("a reply that may quote documents", () => {
  it("goes with any of them, and no other reply does", async () => {
    const tenant = await aTenant();
    for (const id of ["doc_a", "doc_b"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await storeDocument(tenant, id);
    }
    await answer(tenant, "doc_a", "doc_b");
    await answer(tenant, "doc_b");
    await answer(tenant);
    expect(await kept(tenant)).toEqual(["", "doc_a,doc_b", "doc_b"]);
    await tenant.stub().deleteDocument(PLATFORM, "doc_a");
    expect(await kept(tenant)).toEqual(["", "doc_b"]);
    // A day later, before they are purged.
    vi.setSystemTime(NOW + DAY_MS);
    await tenant.stub().deleteDocument(PLATFORM, "doc_b");
    expect(await kept(tenant)).toEqual([""]);
  });

  it("is not kept where one was deleted during the call, though its id is used again", async () => {
    const tenant = await aTenant();
    await answer(tenant, "doc_gone");
    await storeDocument(tenant, "doc_new", NOW + 1);
    await answer(tenant, "doc_new");
    expect(await kept(tenant)).toEqual([]);
    expect(await rows(tenant.id, "SELECT * FROM quoted_documents")).toEqual([]);
  });

  it("is named no longer than it would be kept, if it was deleted with another document", async () => {
    const tenant = await aTenant();
    for (const id of ["doc_a", "doc_b"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await storeDocument(tenant, id);
    }
    await answer(tenant, "doc_a", "doc_b");
    await tenant.stub().deleteDocument(PLATFORM, "doc_a");
    expect(await kept(tenant)).toEqual([]);
    expect(await rows(tenant.id, "SELECT day FROM quoted_documents")).toEqual([{ day: DAY }]);
    const dues = await inTenant(tenant.id, ({ storage }) => {
      const stores = openStores(hostOn(storage));
      const profile = stores.profiles.read();
      if (profile === null) throw new Error("there is no such tenant");
      const { expiries } = REPLAY_FEATURE.capability?.({ stores } as TenantContext) ?? {};
      return expiries?.map(({ dueMs }) => dueMs(profile));
    });
    const endMs = startOf(DAY + 2);
    // Of the key, the reply and what it quotes.
    expect(dues).toEqual([endMs, null, endMs]);
  });

  it("is forgotten with the days of the replies", async () => {
    const tenant = await aTenant();
    await storeDocument(tenant, "doc_a");
    await answer(tenant, "doc_a");
    vi.setSystemTime(NOW + 2 * DAY_MS);
    await runDurableObjectAlarm(env.TENANT.getByName(tenant.id));
    expect(await kept(tenant)).toEqual([]);
    expect(await rows(tenant.id, "SELECT * FROM quoted_documents")).toEqual([]);
  });
});
