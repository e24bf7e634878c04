import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../src/http/ids.ts";
import { aTenant, type ATenant, cleanUp, inTenant, NOW, PLATFORM, stopClock } from "./a-tenant.ts";

// A tenant that is suspended while a batch runs that the platform made: no call of it is refused.

beforeEach(() => stopClock());
afterEach(cleanUp);

const LIFE = 1;
const ITEMS = 20;

async function aBatch({ stub }: ATenant): Promise<string> {
  const made = await stub().createBatch(PLATFORM, {
    id: newId("bat"),
    requestId: newId("req"),
    items: ITEMS,
    ends: Array.from({ length: ITEMS }, (_, at) => (at + 1) * 10),
    context: null,
    resume: false,
    secretHash: null,
    route: "POST /v1/verdicts/batches",
    idempotency: null,
  });
  if (made.kind !== "batch") throw new Error(made.kind);
  return made.batch.id;
}

const begin = ({ stub }: ATenant, id: string, step: number) => stub().beginStep(LIFE, { id, step });

async function runFirstStep(tenant: ATenant, id: string): Promise<void> {
  await begin(tenant, id, 0);
  const results = Array.from({ length: 10 }, (_, index) => ({
    index,
    decision: "allow" as const,
    failedAs: null,
    microNeurons: 1,
  }));
  await tenant.stub().reportStep(LIFE, { id, step: 0, results, waitMs: null, stop: null });
}

describe("a tenant that is suspended", () => {
  it("has its batches stopped, the platform's own too", async () => {
    const tenant = await aTenant();
    const id = await aBatch(tenant);
    await runFirstStep(tenant, id);
    await tenant.configure({ suspended: true });
    expect(await begin(tenant, id, 1)).toEqual({ kind: "over" });
    expect(await tenant.stub().readBatch(PLATFORM, id)).toMatchObject({
      batch: { state: "stopped", stoppedAs: "tenant_suspended", counts: { allow: 10 } },
    });
    // Its items go when no request can write them any more, whatever else the alarm waits for.
    const alarmMs = await inTenant(tenant.id, ({ storage }) => storage.getAlarm());
    expect(alarmMs).toBeLessThanOrEqual(NOW + 180_000);
  });

  it("has the step counted that was cut short", async () => {
    const tenant = await aTenant();
    const id = await aBatch(tenant);
    await begin(tenant, id, 0);
    await tenant.configure({ suspended: true });
    expect(await begin(tenant, id, 0)).toMatchObject({ kind: "run" });
    await runFirstStep(tenant, id);
    expect(await begin(tenant, id, 1)).toEqual({ kind: "over" });
  });
});
