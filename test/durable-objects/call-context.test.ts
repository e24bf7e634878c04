import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withoutPerson } from "../../src/domain/ledger/journal-archive.ts";
import { newId } from "../../src/http/ids.ts";
import { FakeQueue } from "../reports/fake-queue.ts";
import { aTenant, cleanUp, itemsOf, PLATFORM, rows, stopClock } from "./a-tenant.ts";

// A caller's label of a call, and how long its stages took: kept with the line.

beforeEach(() => stopClock());
afterEach(cleanUp);

describe("a line", () => {
  it("keeps the label of its call and the latency of its stages, also after an eviction", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold({ context: "mail/summary" });
    expect(hold.context).toBe("mail/summary");
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const items = itemsOf(hold).map((item) => ({ ...item, latencyMs: 42 }));
    await tenant.settle(hold, { items });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const [line] = await tenant.lines();
    expect(line).toMatchObject({ context: "mail/summary", items: [{ latencyMs: 42 }] });
  });

  it("has neither where there was none, as lines of before", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    const [line] = await tenant.lines();
    expect(line).not.toHaveProperty("context");
    expect(line?.items[0]).not.toHaveProperty("latencyMs");
  });

  it("loses its label, and the id of its document, with the person that it named", async () => {
    const tenant = await aTenant();
    const annas = { context: "for-anna", documentId: "doc_anna", runId: "run_1", userId: "u_1" };
    const others = { context: "mail/summary", documentId: "doc_1", userId: "u_2" };
    await tenant.settle(await tenant.hold(annas));
    await tenant.settle(await tenant.hold(others));
    await tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId: "u_1" });
    await new FakeQueue().ring(tenant.id);
    const kept = await rows(
      tenant.id,
      "SELECT user_id, context, document_id, run_id FROM journal ORDER BY user_id",
    );
    expect(kept).toEqual([
      { user_id: null, context: null, document_id: null, run_id: "run_1" },
      { user_id: "u_2", context: "mail/summary", document_id: "doc_1", run_id: null },
    ]);
    const archived = {
      id: "jnl_1",
      user_id: "u_1",
      context: "for-anna",
      run_id: "run_1",
      items: [],
    };
    const file = JSON.stringify({ ...archived, document_id: "doc_anna" });
    expect(JSON.parse(withoutPerson(file, "u_1").text)).toEqual({
      ...archived,
      user_id: null,
      context: null,
    });
  });
});
