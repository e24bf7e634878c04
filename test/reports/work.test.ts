import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { countedUsd } from "../../src/domain/ledger/money.ts";
import { formatDay } from "../../src/domain/ledger/period.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { admin } from "../client.ts";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  HOUR,
  NOW,
  PLATFORM,
  SECOND,
  stopClock,
  tenantStub,
} from "../durable-objects/a-tenant.ts";
import { deliver, FakeQueue, reportRows } from "./fake-queue.ts";
import { journalSums, reportedSums } from "./journal-sums.ts";

// Work that calls are not the measure of: counted in the tenant's days, and once in the reports.

let queue: FakeQueue;

beforeEach(async () => {
  stopClock();
  queue = new FakeQueue();
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

async function feed(tenant: ATenant): Promise<void> {
  later(5 * SECOND);
  await queue.ring(tenant.id);
  await deliver(queue.take());
}

let pictures = 0;

/** A new variant of a new picture. */
async function transform(tenant: ATenant): Promise<void> {
  pictures += 1;
  const picture = { callId: "jnl_1", pictureId: `img_${pictures}`, name: "w100" };
  const begun = await tenantStub(tenant.id).beginVariant(1, {
    ...picture,
    caller: null,
    requestId: "req_1",
  });
  expect(begun).toEqual({ kind: "claimed" });
}

async function reported(tenant: ATenant): Promise<readonly (readonly [number, unknown])[]> {
  const rows = await reportRows("call_hours", tenant.id);
  return rows.map((row): [number, unknown] => [
    Number(row["hour"]),
    JSON.parse(String(row["work"])),
  ]);
}

async function ofDays(tenant: ATenant) {
  const ask = { from: DAY, to: DAY + 1, groupBy: ["day"] as const, skip: 0, limit: 10 };
  const { groups } = expectKind(await tenant.stub().readUsage(PLATFORM, ask), "usage");
  return groups.map(({ key, calls }) => [key.day, calls?.work]);
}

const THIS_HOUR = Math.floor(NOW / HOUR);

describe("counted work", () => {
  it("from before the first fold is in the first hour of its day, once", async () => {
    const tenant = await aTenant();
    await transform(tenant);
    await transform(tenant);
    expect(await ofDays(tenant)).toEqual([[DAY, { transformations: 2n }]]);
    await feed(tenant);
    expect(await reported(tenant)).toEqual([[DAY * 24, { transformations: 2 }]]);
    later(SECOND);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await feed(tenant);
    expect(await reported(tenant)).toEqual([[DAY * 24, { transformations: 2 }]]);
    expect(await ofDays(tenant)).toEqual([[DAY, { transformations: 2n }]]);
  });

  it("is in the hour in which it was done, and reaches the reports by itself", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    await feed(tenant);
    await transform(tenant);
    later(HOUR);
    await transform(tenant);
    await transform(tenant);
    await feed(tenant);
    expect(await reported(tenant)).toEqual([
      [THIS_HOUR, { transformations: 1 }],
      [THIS_HOUR + 1, { transformations: 2 }],
    ]);
    later(DAY_MS);
    await transform(tenant);
    expect(await ofDays(tenant)).toEqual([
      [DAY, { transformations: 3n }],
      [DAY + 1, { transformations: 1n }],
    ]);
  });

  it("of lines is what the journal charged them", async () => {
    const tenant = await aTenant();
    for (const route of ["POST /v1/documents", "POST /v1/verdicts", "POST /v1/pipelines/runs"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.settle(await tenant.hold({ route }));
    }
    await feed(tenant);
    const sums = journalSums(await tenant.lines());
    expect(sums[`${THIS_HOUR} w document_calls`]).toBe(2);
    expect(await reportedSums(tenant.id)).toEqual(sums);
    // What the platform reads of all tenants is the same sum.
    const usd = countedUsd([
      {
        count: BigInt(sums[`${THIS_HOUR} w document_micro_neurons`] ?? 0),
        usd: "0.011",
        per: 1_000_000_000,
      },
    ]);
    const day = formatDay(DAY);
    const { documents } = (await admin("GET", `/admin/costs?from=${day}&to=${day}`)).body;
    expect(documents.services.ai).toMatchObject({ cost_usd: usd, basis: "counted" });
  });
});
