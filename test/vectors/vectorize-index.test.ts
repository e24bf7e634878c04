import { describe, expect, it } from "vitest";
import type { VectorOwner } from "../../src/domain/search/vector-set.ts";
import type { VectorIndex } from "../../src/vectors/vector-index.ts";
import { type Separation, vectorizeIndex } from "../../src/vectors/vectorize-index.ts";
import { aSet, drawnVector, seeded, SPACE } from "./a-set.ts";
import { FakeVectorize } from "./fake-vectorize.ts";

const ADA: VectorOwner = { tenant: "ada", generation: 1 };
const ADA_AGAIN: VectorOwner = { tenant: "ada", generation: 2 };

const INDEXES = ["owner", "document", "type", "user"];

const opened = (separation: Separation = "namespaces") => {
  const fake = new FakeVectorize(SPACE.dimensions, INDEXES);
  const index = (owner: VectorOwner = ADA): VectorIndex =>
    vectorizeIndex({ binding: fake, separation }, owner);
  return { fake, index };
};

const drawn = (count: number, seed: number): Float32Array[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, () => drawnVector(random));
};

const asked = (vector: Float32Array | undefined, filter = {}) => ({
  space: SPACE,
  vector: vector ?? new Float32Array(SPACE.dimensions),
  most: 3,
  filter,
});

describe("vectorizeIndex", () => {
  it("finds what was written once it comes into effect, and reads its passages", async () => {
    const { fake, index } = opened();
    const vectors = drawn(30, 1);
    const set = aSet(vectors);
    expect(await index().write(set)).toBe(true);
    expect(await index().search(asked(vectors[7]))).toEqual([]);
    fake.settle();
    const hits = await index().search(asked(vectors[7]));
    expect(hits).toHaveLength(3);
    expect(hits[0]).toMatchObject({ set: set.key, ordinal: 7 });
    expect(hits[0]?.score).toBeCloseTo(1, 6);
    const refs = vectors.map((_, ordinal) => ({ set: set.key, ordinal }));
    const passages = await index().read(SPACE, [...refs, { set: set.key, ordinal: 99 }]);
    expect(passages).toEqual([...set.passages, null]);
  });

  it("keeps the limits of each request, for the longest document", async () => {
    const { fake, index } = opened();
    const set = aSet(drawn(2000, 2));
    await index().write(set);
    fake.settle();
    expect(fake.size).toBe(2000);
    await index().remove({ key: set.key, space: SPACE, chunks: 2000 });
    fake.settle();
    expect(fake.size).toBe(0);
  });

  it.each<Separation>(["namespaces", "metadata"])(
    "keeps tenants, lives and spaces apart by %s",
    async (separation) => {
      const { fake, index } = opened(separation);
      const vectors = drawn(4, 3);
      const set = aSet(vectors);
      await index().write(set);
      fake.settle();
      const query = asked(vectors[0]);
      expect(await index().search(query)).toHaveLength(3);
      const others = [ADA_AGAIN, { tenant: "bob", generation: 1 }, { tenant: "ad", generation: 1 }];
      for (const owner of others) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await index(owner).search(query)).toEqual([]);
        // oxlint-disable-next-line no-await-in-loop
        expect(await index(owner).read(SPACE, [{ set: set.key, ordinal: 0 }])).toEqual([null]);
      }
      const space = { ...SPACE, model: "another/model@1" };
      expect(await index().search({ ...query, space })).toEqual([]);
    },
  );

  it("filters by document, type and person, and stores no person's id", async () => {
    const { fake, index } = opened();
    const random = seeded(4);
    const users = ["a".repeat(256), `${"a".repeat(255)}b`, null];
    const vector = drawnVector(random);
    const sets = users.map((userId, at) =>
      aSet([vector], { documentId: `doc_${at}`, type: at === 0 ? "email" : "report", userId }),
    );
    await Promise.all(sets.map((set) => index().write(set)));
    fake.settle();
    const keys = async (filter: object) =>
      (await index().search(asked(vector, filter))).map(({ set }) => set).toSorted();
    const expected = (...at: number[]) => at.map((one) => sets[one]?.key ?? "").toSorted();
    expect(await keys({})).toEqual(expected(0, 1, 2));
    expect(await keys({ documentIds: ["doc_1", "doc_2"] })).toEqual(expected(1, 2));
    expect(await keys({ types: ["email"] })).toEqual(expected(0));
    expect(await keys({ userId: users[1] })).toEqual(expected(1));
    expect(await keys({ userId: users[0], types: ["report"] })).toEqual([]);
    expect(fake.stored).not.toContain("aaaa");
  });

  it("takes a filter of the most documents", async () => {
    const { fake, index } = opened("metadata");
    const documentIds = Array.from(
      { length: 20 },
      (_, at) => `doc_${String(at).padStart(60, "x")}`,
    );
    const vectors = drawn(1, 5);
    await index().write(aSet(vectors, { documentId: documentIds[19] ?? "" }));
    fake.settle();
    const filter = { documentIds, types: ["report"], userId: undefined };
    expect(await index().search(asked(vectors[0], filter))).toHaveLength(1);
  });

  it("throws where the service fails, so that it is tried again", async () => {
    const { fake, index } = opened();
    const set = aSet(drawn(150, 6));
    await index().write(set);
    fake.settle();
    fake.failing = 1;
    const removal = { key: set.key, space: SPACE, chunks: 150 };
    await expect(index().remove(removal)).rejects.toThrow("40041");
    await index().remove(removal);
    fake.settle();
    expect(fake.size).toBe(0);
  });
});
