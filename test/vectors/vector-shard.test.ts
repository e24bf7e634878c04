import {
  env,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { cleanUp } from "../durable-objects/a-tenant.ts";
import { cosine } from "../../src/domain/search/vector-code.ts";
import {
  byScore,
  matches,
  MOST_IN_SHARD,
  type PlacedHit,
  type SearchFilter,
  type VectorOwner,
} from "../../src/domain/search/vector-set.ts";
import { shardName, type ShardStub } from "../../src/vectors/shard-index.ts";
import type { WrittenSet } from "../../src/vectors/vector-index.ts";
import { vectorIndex, vectorStoresOf } from "../../src/vectors/vector-stores.ts";
import { aSet, drawnVector, seeded, SPACE } from "./a-set.ts";

afterEach(cleanUp);

let made = 0;
const aName = (): string => `test/1/${(made += 1)}`;
const shardAt = (name: string): ShardStub => env.VECTORS.getByName(name);

const drawn = (count: number, seed: number): Float32Array[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, () => drawnVector(random));
};

const asked = (vector: Float32Array, most = 3, filter: SearchFilter = {}) => ({
  space: SPACE,
  vector,
  most,
  filter,
});

/** What a search must find: all vectors compared, one by one. */
function bruteForce(
  sets: readonly WrittenSet[],
  { vector, most, filter }: ReturnType<typeof asked>,
): PlacedHit[] {
  return sets
    .filter((set) => matches(filter, set))
    .flatMap(({ key, vectors, passages, space: { dimensions } }) =>
      passages.map((passage, ordinal) => {
        const own = vectors.slice(ordinal * dimensions, (ordinal + 1) * dimensions);
        return { set: key, ordinal, score: cosine(own, vector), passage };
      }),
    )
    .toSorted(byScore)
    .slice(0, most);
}

const tables = (name: string): Promise<number> =>
  runInDurableObject(env.VECTORS.getByName(name), (_, { storage }) => {
    const found = storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'shard'");
    return found.toArray().length;
  });

describe("VectorShard", () => {
  it("finds exactly what a comparison with all vectors finds, also after a cold start", async () => {
    const name = aName();
    const sets = Array.from({ length: 20 }, (_, at) =>
      aSet(drawn(50, at), { documentId: `doc_${at}` }),
    );
    for (const set of sets) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await shardAt(name).write(set)).toBe(true);
    }
    const queries = drawn(20, 99).map((vector) => asked(vector, 10));
    const found = () => Promise.all(queries.map((query) => shardAt(name).search(query)));
    const expected = queries.map((query) => bruteForce(sets, query));
    expect(await found()).toEqual(expected);
    await evictDurableObject(env.VECTORS.getByName(name));
    expect(await found()).toEqual(expected);
  });

  it("leaves out the sets that are named, and finds what lies behind them", async () => {
    const name = aName();
    const sets = drawn(8, 5).map((vector) => aSet([vector]));
    await Promise.all(sets.map((set) => shardAt(name).write(set)));
    const query = asked(sets[0]?.vectors as Float32Array, 3);
    const without = bruteForce(sets, query).map(({ set }) => set);
    const left = sets.filter(({ key }) => !without.includes(key));
    const found = await shardAt(name).search({ ...query, without });
    expect(found).toEqual(bruteForce(left, query));
  });

  it("gives passages by their place, and null for what it has not", async () => {
    const name = aName();
    const set = aSet(drawn(3, 1));
    await shardAt(name).write(set);
    const refs = [2, 0, 3].map((ordinal) => ({ set: set.key, ordinal }));
    expect(await shardAt(name).read(refs)).toEqual([set.passages[2], set.passages[0], null]);
  });

  it("writes a set once", async () => {
    const name = aName();
    const set = aSet(drawn(2, 1));
    expect(await shardAt(name).write(set)).toBe(true);
    expect(await shardAt(name).write(set)).toBe(true);
    const query = asked(set.vectors.slice(0, SPACE.dimensions), 50);
    expect(await shardAt(name).search(query)).toHaveLength(2);
  });

  it("has one space: others are neither written nor found", async () => {
    const name = aName();
    const set = aSet(drawn(2, 1));
    await shardAt(name).write(set);
    const space = { ...SPACE, model: "another/model@1" };
    expect(await shardAt(name).write({ ...aSet(drawn(2, 2)), space })).toBe(false);
    expect(await shardAt(name).search({ ...asked(drawn(1, 3)[0] as Float32Array), space })).toEqual(
      [],
    );
  });

  it("takes 20,000 passages and no more", async () => {
    const name = aName();
    const [vector] = drawn(1, 1);
    const all = Array.from({ length: 2000 }, () => vector as Float32Array);
    for (let written = 0; written < MOST_IN_SHARD; written += all.length) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await shardAt(name).write(aSet(all))).toBe(true);
    }
    const one = aSet([vector as Float32Array]);
    expect(await shardAt(name).write(one)).toBe(false);
    expect(await shardAt(name).read([{ set: one.key, ordinal: 0 }])).toEqual([null]);
    // All are equally near: the order is that of their keys.
    const query = asked(vector as Float32Array, 5);
    expect(await shardAt(name).search(query)).toEqual(await shardAt(name).search(query));
  });

  it("has no tables before it is written, however it is asked", async () => {
    const name = aName();
    expect(await shardAt(name).search(asked(drawn(1, 1)[0] as Float32Array))).toEqual([]);
    expect(await shardAt(name).read([{ set: "vec_1", ordinal: 0 }])).toEqual([null]);
    await shardAt(name).remove("vec_1");
    expect(await tables(name)).toBe(0);
  });

  it("takes nothing once it is closed, forgets everything, and is gone in time", async () => {
    const name = aName();
    const set = aSet(drawn(2, 1));
    await shardAt(name).write(set);
    await shardAt(name).close();
    const query = asked(set.vectors.slice(0, SPACE.dimensions));
    expect(await shardAt(name).search(query)).toEqual([]);
    expect(await shardAt(name).read([{ set: set.key, ordinal: 0 }])).toEqual([null]);
    expect(await shardAt(name).write(aSet(drawn(2, 2)))).toBe(false);
    await shardAt(name).close();
    await evictDurableObject(env.VECTORS.getByName(name));
    expect(await shardAt(name).write(aSet(drawn(2, 2)))).toBe(false);
    expect(await runDurableObjectAlarm(env.VECTORS.getByName(name))).toBe(true);
    expect(await tables(name)).toBe(0);
  });
});

type Act =
  | {
      readonly kind: "write";
      readonly owner: number;
      readonly document: number;
      readonly seed: number;
    }
  | { readonly kind: "remove"; readonly owner: number; readonly document: number }
  | { readonly kind: "renew"; readonly owner: number }
  | { readonly kind: "evict"; readonly owner: number };

const owner = fc.nat({ max: 2 });
const document = fc.nat({ max: 3 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("write" as const), owner, document, seed: fc.nat() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), owner, document }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("renew" as const), owner }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("evict" as const), owner }) },
);

describe("vectors of several tenants", () => {
  it("are found by their own tenant alone, in its present life alone, and none after its removal", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 14 }), fc.nat(), async (history, seed) => {
        run += 1;
        const stores = vectorStoresOf(env);
        const generations = [1, 1, 1];
        const ownerAt = (at: number): VectorOwner => ({
          tenant: `t${run}-${at}`,
          generation: generations[at] ?? 1,
        });
        const place = { kind: "shard", number: 0 } as const;
        const indexAt = (at: number) => vectorIndex(stores, ownerAt(at), place);
        const sets: WrittenSet[][] = [[], [], []];
        for (const step of history) {
          const own = sets[step.owner] ?? [];
          const removed = (documentId: string) =>
            own.filter((set) => set.documentId === documentId).map((set) => set);
          switch (step.kind) {
            case "write": {
              const set = aSet(drawn(4, step.seed), {
                documentId: `doc_${step.document}`,
                userId: `user_${step.document}`,
              });
              // oxlint-disable-next-line no-await-in-loop -- a history
              await indexAt(step.owner).write(set);
              own.push(set);
              break;
            }
            case "remove": {
              for (const { key, space } of removed(`doc_${step.document}`)) {
                // oxlint-disable-next-line no-await-in-loop
                await indexAt(step.owner).remove({ key, space, chunks: 4 });
              }
              sets[step.owner] = own.filter((set) => set.documentId !== `doc_${step.document}`);
              break;
            }
            case "renew": {
              const shard = shardName(ownerAt(step.owner), 0);
              // oxlint-disable-next-line no-await-in-loop
              await stores.shard(shard).close();
              generations[step.owner] = (generations[step.owner] ?? 1) + 1;
              sets[step.owner] = [];
              break;
            }
            case "evict":
              // oxlint-disable-next-line no-await-in-loop
              await shardAt(shardName(ownerAt(step.owner), 0)).read([]);
              // oxlint-disable-next-line no-await-in-loop
              await evictDurableObject(env.VECTORS.getByName(shardName(ownerAt(step.owner), 0)));
          }
        }
        const [vector] = drawn(1, seed);
        for (const at of [0, 1, 2]) {
          for (const filter of [{}, { userId: "user_1" }, { documentIds: ["doc_0", "doc_2"] }]) {
            const query = asked(vector as Float32Array, 7, filter);
            // oxlint-disable-next-line no-await-in-loop
            expect(await indexAt(at).search(query)).toEqual(bruteForce(sets[at] ?? [], query));
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
