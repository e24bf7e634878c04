import { afterEach, beforeEach, expect, it } from "vitest";
import { SuggestionStore } from "../../durable-objects/tenant/examples/suggestion-store.ts";
import { MOST_SUGGESTIONS } from "../../src/domain/moderation/labelled-text.ts";
import { aTenant, cleanUp, inTenant, rows, stopClock } from "./a-tenant.ts";

// How many labelled texts a tenant's object keeps.

beforeEach(() => stopClock());
afterEach(cleanUp);

it("counts what it keeps, and gives up the oldest", async () => {
  const tenant = await aTenant();
  await inTenant(tenant.id, ({ storage }) => {
    storage.sql.exec(
      `CREATE TABLE suggestions (id TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL,
        text TEXT NOT NULL, labels TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    );
    const run = (statement: string, ...values: (string | number)[]) =>
      storage.sql.exec(statement, ...values).toArray();
    const store = new SuggestionStore({ run } as never);
    for (let at = 0; at < 3; at += 1) {
      store.insert({ id: `sug_${at}`, createdAtMs: at, text: "a", labels: {} });
    }
    expect(store.count).toBe(3);
    store.deleteOldest();
    expect(store.count).toBe(2);
    expect(store.oldestMs()).toBe(1);
    expect(store.purge(2, 10)).toBe(false);
    expect(store.count).toBe(1);
    store.insert({ id: "sug_3", createdAtMs: 3, text: "a", labels: {} });
    expect(store.delete("sug_3", 4)).toBe(false);
    expect(store.delete("sug_3", 3)).toBe(true);
    expect(store.count).toBe(1);
  });
  expect(await rows(tenant.id, "SELECT id FROM suggestions")).toEqual([{ id: "sug_2" }]);
  expect(MOST_SUGGESTIONS).toBeGreaterThan(0);
});
