import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CacheTerms } from "../../durable-objects/tenant/protocol.ts";
import type { Answered } from "../../src/engines/inference.ts";
import { cacheEntry, canonicalJson, type Store } from "../../src/generation/response-cache.ts";

const TERMS: CacheTerms = {
  tenant: "acme",
  generation: 1,
  secret: "ab".repeat(32),
  ttlS: 100,
  maxTemperature: 0,
};
const ANSWERS: readonly Answered<"embeddings">[] = [
  { kind: "answered", model: "@cf/a/b", output: { vectors: [[1, 2]] }, usage: { input_token: 3 } },
];

class MemoryStore implements Store {
  readonly held = new Map<string, { value: string; expirationTtl: number }>();
  async get(key: string): Promise<string | null> {
    return this.held.get(key)?.value ?? null;
  }
  async put(key: string, value: string, { expirationTtl }: { expirationTtl: number }) {
    this.held.set(key, { value, expirationTtl });
  }
}

async function entryIn(
  store: Store,
  terms: Partial<CacheTerms> = {},
  asked: unknown = ["q"],
  { nowMs = 1_000_000, answers = 1 } = {},
) {
  const writes: Promise<void>[] = [];
  const use = { store, later: (work: Promise<void>) => void writes.push(work) };
  const entry = await cacheEntry<"embeddings">(
    use,
    { ...TERMS, ...terms },
    { question: asked, answers, nowMs },
  );
  return { entry, written: () => Promise.all(writes) };
}

async function filled(terms: Partial<CacheTerms> = {}): Promise<MemoryStore> {
  const store = new MemoryStore();
  const { entry, written } = await entryIn(store, terms);
  entry.write(ANSWERS);
  await written();
  return store;
}

describe("an entry", () => {
  it("gives back what was answered, without what it had used", async () => {
    const { entry } = await entryIn(await filled());
    expect(await entry.read()).toEqual([{ ...ANSWERS[0], usage: null }]);
  });

  it.each([
    ["another tenant's", { tenant: "acme2" }],
    ["of a later life", { generation: 2 }],
    ["under another secret", { secret: "cd".repeat(32) }],
  ])("is not found as one %s", async (_, terms) => {
    const { entry } = await entryIn(await filled(), terms);
    expect(await entry.read()).toBeNull();
  });

  it("names its tenant, and nothing of what was asked", async () => {
    const store = new MemoryStore();
    const { entry, written } = await entryIn(store, {}, ["a secret question"]);
    entry.write(ANSWERS);
    await written();
    const [[key, { value }] = ["", { value: "" }]] = [...store.held];
    expect(key).toMatch(/^a1\/acme\/1\/[0-9a-f]{64}$/);
    expect(key.length).toBeLessThan(512);
    expect(value).not.toContain("secret question");
  });

  it("ends with the time that the tenant allows now, to the millisecond", async () => {
    const store = await filled();
    const at = async (nowMs: number, ttlS = 100) => {
      const { entry } = await entryIn(store, { ttlS }, ["q"], { nowMs });
      return (await entry.read()) !== null;
    };
    expect(await at(1_000_000 + 99_999)).toBe(true);
    expect(await at(1_000_000 + 100_000)).toBe(false);
    expect(await at(1_000_000 + 5000, 5)).toBe(false);
    expect(await at(999_999)).toBe(false);
  });

  it("is kept by the store for that long, and no shorter than it can", async () => {
    expect([...(await filled({ ttlS: 100 })).held.values()][0]?.expirationTtl).toBe(100);
    expect([...(await filled({ ttlS: 5 })).held.values()][0]?.expirationTtl).toBe(60);
  });

  it("is a miss where there are not as many answers as are wanted", async () => {
    const { entry } = await entryIn(await filled(), {}, ["q"], { answers: 2 });
    expect(await entry.read()).toBeNull();
  });

  it("is not written where it is too long", async () => {
    const store = new MemoryStore();
    const { entry, written } = await entryIn(store);
    const vectors = [Array.from({ length: 120_000 }, () => Math.PI / 1e5)];
    entry.write([{ kind: "answered", model: "m", output: { vectors }, usage: null }]);
    await written();
    expect(store.held.size).toBe(0);
  });
});

const broken = (get: Store["get"], put: Store["put"] = async () => {}): Store => ({ get, put });

describe("a store that is ill", () => {
  it.each<[string, Store]>([
    ["that throws", broken(() => Promise.reject(new Error("no")))],
    [
      "that throws at once",
      broken(() => {
        throw new Error("no");
      }),
    ],
    ["that never answers", broken(() => new Promise(() => {}))],
    ["that holds no JSON", broken(async () => "{")],
    ["that holds something else", broken(async () => '{"made_at_ms":1000000,"answers":[{}]}')],
    ["that holds nothing", broken(async () => "null")],
  ])("%s is a miss", async (_, store) => {
    const { entry } = await entryIn(store);
    expect(await entry.read()).toBeNull();
  });

  it.each<[string, Store["put"]]>([
    ["later", () => Promise.reject(new Error("no"))],
    [
      "at once",
      () => {
        throw new Error("no");
      },
    ],
  ])("and that throws %s as it is written is nobody's matter", async (_, put) => {
    const { entry, written } = await entryIn(broken(async () => null, put));
    entry.write(ANSWERS);
    expect(await written()).toEqual([undefined]);
  });
});

const anyJson = fc.jsonValue({ maxDepth: 3 });
const shuffled = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(shuffled);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
};

describe("for any question", () => {
  it("two have one entry exactly when they are the same JSON", async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, anyJson, async (a, b) => {
        const store = new MemoryStore();
        for (const asked of [a, b, shuffled(a)]) {
          // oxlint-disable-next-line no-await-in-loop -- each is written before the next
          const { entry, written } = await entryIn(store, {}, asked);
          entry.write(ANSWERS);
          // oxlint-disable-next-line no-await-in-loop -- as above
          await written();
        }
        expect(store.held.size).toBe(canonicalJson(a) === canonicalJson(b) ? 1 : 2);
      }),
    );
  });

  it("the written form says all that JSON says", () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
