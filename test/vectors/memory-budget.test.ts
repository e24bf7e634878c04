import { env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Forgettable, MemoryBudget } from "../../durable-objects/vectors/memory-budget.ts";
import { CodeTable } from "../../src/domain/search/code-table.ts";
import { cleanUp } from "../durable-objects/a-tenant.ts";
import { aSet, drawnVector, seeded, SPACE } from "./a-set.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

class Held implements Forgettable {
  bytes: number;
  constructor(bytes: number) {
    this.bytes = bytes;
  }
  forget(): void {
    this.bytes = 0;
  }
}

const shard = (at: number) => env.VECTORS.getByName(`budget/1/${at}`);

const sizes = (held: readonly Held[]): number[] => held.map(({ bytes }) => bytes);

describe("MemoryBudget", () => {
  it("has the least recently used forget first", () => {
    const budget = new MemoryBudget(100);
    const [a, b, c] = [new Held(40), new Held(40), new Held(40)];
    budget.used(a);
    budget.used(b);
    budget.used(a);
    budget.used(c);
    expect(sizes([a, b, c])).toEqual([40, 0, 40]);
  });

  it("counts what has grown, and no more what was forgotten", () => {
    const budget = new MemoryBudget(100);
    const [a, b, c] = [new Held(40), new Held(40), new Held(60)];
    budget.used(a);
    budget.used(b);
    b.bytes = 70;
    budget.used(b);
    expect(sizes([a, b])).toEqual([0, 70]);
    b.forget();
    budget.used(a);
    budget.used(c);
    expect(c.bytes).toBe(60);
  });

  it("keeps what is larger than all of it", () => {
    const budget = new MemoryBudget(100);
    const [a, b] = [new Held(40), new Held(140)];
    budget.used(a);
    budget.used(b);
    expect(sizes([a, b])).toEqual([0, 140]);
  });

  it("costs a shard nothing but the time to read its vectors again", async () => {
    const vector = drawnVector(seeded(1));
    const query = { space: SPACE, vector, most: 1, filter: {} };
    await shard(0).write(aSet([vector]));
    const first = await shard(0).search(query);
    // Each of the next three is as large as half of what all may have.
    vi.spyOn(CodeTable.prototype, "bytes", "get").mockReturnValue(32 * 1024 * 1024);
    for (const at of [1, 2, 3]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await shard(at).write(aSet([vector]));
    }
    expect(await shard(0).search(query)).toEqual(first);
  });
});
