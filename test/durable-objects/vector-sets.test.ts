import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  MOST_IN_SHARD,
  MOST_SHARDS,
  type NewSet,
  type Place,
  VECTORIZE,
  type VectorOwner,
} from "../../src/domain/search/vector-set.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import { SEARCH_OPERATIONS } from "../../durable-objects/tenant/search/vector-sets.ts";
import { TenantNode } from "../../durable-objects/tenant/tenant-node.ts";
import { readPlatform } from "../../src/edge/platform.ts";
import { newId } from "../../src/http/ids.ts";
import { vectorIndex, type VectorStores, vectorStoresOf } from "../../src/vectors/vector-stores.ts";
import { aSet, drawnVector, seeded, SPACE } from "../vectors/a-set.ts";
import { FakeVectorize } from "../vectors/fake-vectorize.ts";
import { hostOn } from "./a-node.ts";
import {
  account,
  type ATenant,
  aTenant,
  cleanUp,
  expectKind,
  HOUR,
  inTenant,
  MINUTE,
  NOW,
  PLATFORM,
  ringAccount,
  rows,
  SECOND,
  stopClock,
  withAllTables,
  withoutReports,
  workOf,
} from "./a-tenant.ts";

// Which vectors a tenant has: reserved, written, replaced, removed whatever fails, and gone with the person
// and the tenant.

beforeEach(() => stopClock());
afterEach(cleanUp);

const PLACE: Place = { kind: "shard", number: 0 };

const newSet = (change: Partial<NewSet> = {}): NewSet => ({
  key: newId("vec"),
  documentId: "doc_1",
  revision: `jnl_of_${change.documentId ?? "doc_1"}`,
  type: "report",
  userId: null,
  space: SPACE,
  chunks: 2,
  untilMs: Date.now() + 3 * MINUTE,
  ...change,
});

/** The document's row, as its call has made it. */
const storeDocument = (tenant: ATenant, { documentId, revision, userId }: NewSet) =>
  rows(
    tenant.id,
    `INSERT OR REPLACE INTO documents (id, file, state, type, user_id, content_type, bytes, characters, hidden_passages,
      created_at_ms, expires_at_ms, tasks)
      VALUES (?, ?, 'ready', 'report', ${userId === null ? "NULL" : `'${userId}'`}, 'text/plain', 1, 1, 0,
        ${NOW}, ${NOW + 1000 * HOUR}, '[]')`,
    documentId,
    revision,
  );

async function reserve(tenant: ATenant, set: NewSet) {
  await storeDocument(tenant, set);
  return tenant.stub().reserveVectors(PLATFORM, set);
}

const ready = (tenant: ATenant, { key }: NewSet) => tenant.stub().vectorsWritten(PLATFORM, key);
const release = (tenant: ATenant, id: string) => tenant.stub().releaseVectors(PLATFORM, id);

/** Those of the keys that a search may show. */
const shown = async (tenant: ATenant, ...sets: readonly NewSet[]): Promise<readonly string[]> => {
  const keys = sets.map(({ key }) => key);
  const reply = expectKind(await tenant.stub().readVectorSets(PLATFORM, keys), "sets");
  return reply.sets.map(({ key }) => key);
};

const random = seeded(7);

/** Reserves and writes, as a route does. */
async function written(
  tenant: ATenant,
  change: Partial<NewSet> = {},
  stores: VectorStores = vectorStoresOf(env),
): Promise<NewSet> {
  const set = newSet(change);
  const { place, owner } = expectKind(await reserve(tenant, set), "reserved");
  const vectors = Array.from({ length: set.chunks }, () => drawnVector(random));
  const { key, documentId, type, userId } = set;
  const labels = { key, documentId, type, userId };
  expect(await vectorIndex(stores, owner, place).write(aSet(vectors, labels))).toBe(true);
  return set;
}

async function findable(tenant: ATenant, change: Partial<NewSet> = {}): Promise<NewSet> {
  const set = await written(tenant, change);
  expectKind(await ready(tenant, set), "written");
  return set;
}

const ownerOf = ({ id }: ATenant, generation = 1): VectorOwner => ({ tenant: id, generation });

/** Whether the first shard still has the passages of a set. */
const isStored = async (tenant: ATenant, { key }: NewSet): Promise<boolean> => {
  const index = vectorIndex(vectorStoresOf(env), ownerOf(tenant), PLACE);
  const [passage = null] = await index.read(SPACE, [{ set: key, ordinal: 0 }]);
  return passage !== null;
};

const ring = (tenant: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(tenant.id));

const chunksIn = async (tenant: ATenant): Promise<readonly unknown[]> =>
  (await rows(tenant.id, "SELECT number, chunks FROM vector_shards")).map(
    ({ number, chunks }) => `${Number(number)}: ${Number(chunks)}`,
  );

describe("a document's vectors", () => {
  it("are found once they are written, and not before", async () => {
    const tenant = await aTenant();
    const set = await written(tenant);
    expect(await shown(tenant, set)).toEqual([]);
    expectKind(await ready(tenant, set), "written");
    expect(await shown(tenant, set)).toEqual([set.key]);
    const where = expectKind(await tenant.stub().vectorPlaces(PLATFORM, SPACE), "places");
    expect(where).toMatchObject({ owner: ownerOf(tenant), places: [PLACE] });
  });

  it("take the place of those of before, which are then removed", async () => {
    const tenant = await aTenant();
    const first = await findable(tenant);
    const second = await written(tenant, { revision: "jnl_2", chunks: 5 });
    expect(await shown(tenant, first, second)).toEqual([first.key]);
    await ready(tenant, second);
    expect(await shown(tenant, first, second)).toEqual([second.key]);
    expect(await isStored(tenant, first)).toBe(true);
    expect(await ring(tenant)).toBe(true);
    expect(await isStored(tenant, first)).toBe(false);
    expect(await isStored(tenant, second)).toBe(true);
    expect(await chunksIn(tenant)).toEqual(["0: 5"]);
  });

  it("are not made twice of the same text", async () => {
    const tenant = await aTenant();
    const set = await findable(tenant);
    const again = newSet();
    expect(await reserve(tenant, again)).toMatchObject({ kind: "embedded", set: { key: set.key } });
    expect((await reserve(tenant, { ...again, revision: "jnl_2" })).kind).toBe("reserved");
  });

  it("can be reserved and confirmed again by a repeat, which changes nothing", async () => {
    const tenant = await aTenant();
    const set = newSet();
    const first = await reserve(tenant, set);
    expect(await reserve(tenant, set)).toEqual(first);
    expect(await chunksIn(tenant)).toEqual(["0: 2"]);
    await ready(tenant, set);
    expectKind(await ready(tenant, set), "written");
  });

  it("are removed where the call that wrote them died, and are not made ready after that", async () => {
    const tenant = await aTenant();
    const set = await written(tenant);
    vi.setSystemTime(NOW + 2 * MINUTE);
    await ring(tenant);
    expect(await isStored(tenant, set)).toBe(true);
    vi.setSystemTime(NOW + 3 * MINUTE);
    await ring(tenant);
    expect(await isStored(tenant, set)).toBe(false);
    expectKind(await ready(tenant, set), "not_found");
    expect(await chunksIn(tenant)).toEqual(["0: 0"]);
  });

  it("go with their document: found no more at once, and removed", async () => {
    const tenant = await aTenant();
    const set = await findable(tenant);
    const other = await findable(tenant, { documentId: "doc_2" });
    await release(tenant, "doc_1");
    expect(await shown(tenant, set, other)).toEqual([other.key]);
    await ring(tenant);
    expect(await isStored(tenant, set)).toBe(false);
    expect(await isStored(tenant, other)).toBe(true);
    await release(tenant, "doc_1");
  });

  it("are not made ready when the document went meanwhile, and not removed while they are written", async () => {
    const tenant = await aTenant();
    const set = await written(tenant);
    await release(tenant, "doc_1");
    await ring(tenant);
    expect(await isStored(tenant, set)).toBe(true);
    expectKind(await ready(tenant, set), "not_found");
    vi.setSystemTime(NOW + 3 * MINUTE);
    await ring(tenant);
    expect(await isStored(tenant, set)).toBe(false);
  });
});

describe("a document that is not there", () => {
  it("gets no vectors: nothing would remove them", async () => {
    const tenant = await aTenant();
    const reply = await tenant.stub().reserveVectors(PLATFORM, newSet());
    expect(reply).toEqual({ kind: "not_found", what: "document" });
    await storeDocument(tenant, newSet({ revision: "jnl_2" }));
    const stale = await tenant.stub().reserveVectors(PLATFORM, newSet());
    expectKind(stale, "not_found");
  });

  it("takes its vectors along when it is deleted, whoever deletes it", async () => {
    const tenant = await aTenant();
    const set = await findable(tenant);
    const old = await findable(tenant, { documentId: "doc_2", revision: "jnl_2" });
    expectKind(await tenant.stub().deleteDocument(PLATFORM, "doc_1"), "deleted");
    expect(await shown(tenant, set, old)).toEqual([old.key]);
    vi.setSystemTime(NOW + 1001 * HOUR);
    await ring(tenant);
    await ring(tenant);
    expect(await shown(tenant, old)).toEqual([]);
    expect(await isStored(tenant, old)).toBe(false);
  });
});

describe("places", () => {
  it("fill up one after the other, and end", async () => {
    const tenant = await aTenant();
    const reserved = [];
    for (let at = 0; at <= MOST_SHARDS; at += 1) {
      const set = newSet({ documentId: `doc_${at}`, chunks: MOST_IN_SHARD });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      reserved.push(await reserve(tenant, set));
    }
    const places = reserved.map((one) => (one.kind === "reserved" ? one.place : one.kind));
    const shards = Array.from({ length: MOST_SHARDS }, (_, number) => ({ kind: "shard", number }));
    expect(places).toEqual([...shards, "storage_full"]);
  });

  it("that are full are known before anything is embedded", async () => {
    const tenant = await aTenant();
    const ask = (revision: string) =>
      tenant.stub().readDocumentVectors(PLATFORM, "doc_new", {
        ...SPACE,
        revision,
        chunks: 1,
      });
    for (let at = 0; at < MOST_SHARDS; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expectKind(await ask("jnl_new"), "vectors");
      const set = newSet({ documentId: `doc_${at}`, chunks: MOST_IN_SHARD });
      // oxlint-disable-next-line no-await-in-loop -- as above
      await reserve(tenant, set);
    }
    expectKind(await ask("jnl_new"), "storage_full");
  });

  it("take no new document beyond 80 % of the storage, and say so before anything is embedded", async () => {
    const tenant = await aTenant();
    const set = await findable(tenant);
    await storeDocument(tenant, newSet({ documentId: "doc_2" }));
    await inTenant(tenant.id, async ({ storage }) => {
      let share = 0.8;
      const size = () => Math.floor(readPlatform(env).storageLimit * share);
      const node = new TenantNode(hostOn(storage, { ...objectDatabase(storage), size }));
      const ask = (documentId: string, revision: string, chunks: number) => {
        const toWrite = { ...SPACE, revision, chunks };
        const { readDocumentVectors: read } = SEARCH_OPERATIONS;
        return read(node, PLATFORM, documentId, toWrite).kind;
      };
      expect(ask("doc_2", "jnl_of_doc_2", 1)).toBe("vectors");
      share = 0.8001;
      expect(ask("doc_2", "jnl_of_doc_2", 1)).toBe("storage_full");
      expect(ask("doc_1", "jnl_later", 1)).toBe("storage_full");
      // Nothing would be written: it is there already, or has no words.
      expect(ask("doc_1", set.revision, 2)).toBe("vectors");
      expect(ask("doc_2", "jnl_of_doc_2", 0)).toBe("vectors");
      const reserving = newSet({ documentId: "doc_2" });
      const reserved = await SEARCH_OPERATIONS.reserveVectors(node, PLATFORM, reserving);
      expect(reserved.kind).toBe("storage_full");
    });
  });

  it("are of one space each", async () => {
    const tenant = await aTenant();
    const other = { ...SPACE, model: "another/model@1" };
    await findable(tenant);
    expect(await reserve(tenant, newSet({ space: other }))).toMatchObject({ place: { number: 1 } });
    const where = expectKind(await tenant.stub().vectorPlaces(PLATFORM, other), "places");
    expect(where.places).toEqual([{ kind: "shard", number: 1 }]);
  });

  it("have room again for what was removed", async () => {
    const tenant = await aTenant();
    await reserve(tenant, newSet({ chunks: MOST_IN_SHARD }));
    const next = () => reserve(tenant, newSet({ documentId: "doc_2" }));
    expect(await next()).toMatchObject({ place: { number: 1 } });
    vi.setSystemTime(NOW + 3 * MINUTE);
    await ring(tenant);
    expect(await next()).toMatchObject({ place: { number: 0 } });
  });
});

/** The tenant's object has a Vectorize index from now on. */
async function withVectorize(tenant: ATenant): Promise<{
  readonly fake: FakeVectorize;
  readonly stores: VectorStores;
}> {
  const fake = new FakeVectorize(SPACE.dimensions, ["owner", "document", "type", "user"]);
  await inTenant(tenant.id, (_, instance) => {
    const object = instance as { env: object };
    object.env = { ...object.env, VECTORIZE: fake };
  });
  const vectorize = { binding: fake, separation: "namespaces" } as const;
  return { fake, stores: { ...vectorStoresOf(env), vectorize } };
}

/** A tenant whose first shard is full: what comes goes to Vectorize. */
async function aLargeTenant() {
  const tenant = await aTenant();
  await withAllTables(tenant.id);
  await withoutReports(tenant.id);
  const { fake, stores } = await withVectorize(tenant);
  const full = newSet({
    documentId: "doc_full",
    chunks: MOST_IN_SHARD,
    untilMs: NOW + 1000 * HOUR,
  });
  expect(await reserve(tenant, full)).toMatchObject({ place: PLACE });
  return { tenant, fake, stores };
}

describe("a removal from Vectorize", () => {
  it("is tried again with growing waits, and never lost", async () => {
    const { tenant, fake, stores } = await aLargeTenant();
    const set = await written(tenant, { chunks: 250 }, stores);
    fake.settle();
    expect(fake.size).toBe(250);
    await ready(tenant, set);
    // A repeat is counted once; what lies in a shard is not Vectorize's.
    await ready(tenant, set);
    expect(await workOf(tenant.id)).toEqual({ vectorize_dimensions: 250 * SPACE.dimensions });
    const where = expectKind(await tenant.stub().vectorPlaces(PLATFORM, SPACE), "places");
    expect(where.places).toEqual([PLACE, VECTORIZE]);
    await release(tenant, "doc_1");
    fake.failing = 4;
    const waits: number[] = [];
    for (let tries = 0; tries < 5; tries += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await ring(tenant);
      // oxlint-disable-next-line no-await-in-loop
      const [row] = await rows(
        tenant.id,
        "SELECT due_at_ms FROM vector_sets WHERE key = ?",
        set.key,
      );
      if (row === undefined) break;
      waits.push(Number(row["due_at_ms"]) - Date.now());
      vi.setSystemTime(Number(row["due_at_ms"]));
    }
    expect(waits).toEqual([10, 20, 40, 80].map((seconds) => seconds * SECOND));
    fake.settle();
    expect(fake.size).toBe(0);
    expect(await rows(tenant.id, "SELECT 1 FROM vector_sets WHERE shard IS NULL")).toEqual([]);
  });

  it("waits an hour at most", async () => {
    const { tenant, fake, stores } = await aLargeTenant();
    await ready(tenant, await written(tenant, {}, stores));
    await rows(tenant.id, "UPDATE vector_sets SET tries = 60 WHERE shard IS NULL");
    await release(tenant, "doc_1");
    fake.failing = 1;
    await ring(tenant);
    const [row] = await rows(tenant.id, "SELECT due_at_ms FROM vector_sets WHERE shard IS NULL");
    expect(Number(row?.["due_at_ms"]) - Date.now()).toBe(HOUR);
  });

  it("is waited for by the deletion of the tenant", async () => {
    const { tenant, fake, stores } = await aLargeTenant();
    const set = await written(tenant, { chunks: 250 }, stores);
    await ready(tenant, set);
    fake.settle();
    fake.failing = 1;
    expect(await account().deleteTenant(tenant.id)).toBe(true);
    fake.settle();
    expect(fake.size).toBe(250);
    expect(await rows(tenant.id, "SELECT 1 FROM vector_sets WHERE shard IS NULL")).toHaveLength(1);
    vi.setSystemTime(NOW + MINUTE);
    await ringAccount();
    fake.settle();
    expect(fake.size).toBe(0);
    expect(await account().deleteTenant(tenant.id)).toBe(false);
  });
});

describe("a person's erasure", () => {
  it("removes the vectors of their documents, is done when they are gone, and leaves no mark", async () => {
    const tenant = await aTenant();
    await withoutReports(tenant.id);
    const hers = await findable(tenant, { userId: "u_gone" });
    const his = await findable(tenant, { documentId: "doc_2", userId: "u_stays" });
    const page = await tenant.stub().findPersonal(PLATFORM, {
      userId: "u_gone",
      place: { store: "vectors", after: "" },
      requestId: newId("req"),
    });
    expect(expectKind(page, "personal_page").records).toMatchObject([
      { kind: "vectors", set: { key: hers.key, chunks: 2 } },
    ]);

    const asked = { id: newId("era"), userId: "u_gone" };
    const started = expectKind(await tenant.stub().startErasure(PLATFORM, asked), "erasure");
    expect(started.erasure.finishedAtMs).toBeNull();
    expect(await shown(tenant, hers, his)).toEqual([his.key]);
    for (let rung = 0; rung < 3; rung += 1) {
      vi.setSystemTime(Date.now() + 10 * SECOND);
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await ring(tenant);
    }
    const { erasure } = expectKind(await tenant.stub().readErasure(PLATFORM, asked.id), "erasure");
    expect(erasure).toMatchObject({ counts: { vectors: 1 }, userId: null });
    expect(await isStored(tenant, hers)).toBe(false);
    expect(await isStored(tenant, his)).toBe(true);
    const left = await rows(tenant.id, "SELECT user_id FROM vector_sets");
    expect(left).toEqual([{ user_id: "u_stays" }]);
  });
});

describe("the deletion of a tenant", () => {
  it("empties its shards, and one that is made again finds nothing of before", async () => {
    const tenant = await aTenant();
    const set = await findable(tenant);
    expect(await account().deleteTenant(tenant.id)).toBe(true);
    expect(await isStored(tenant, set)).toBe(false);
    const again = await aTenant({}, tenant.id);
    const where = expectKind(await again.stub().vectorPlaces(PLATFORM, SPACE), "places");
    expect(where).toMatchObject({ owner: ownerOf(again, 2), places: [] });
    const anew = await findable(again);
    expect(await shown(again, set, anew)).toEqual([anew.key]);
  });

  it("lets a call that comes late write nothing", async () => {
    const tenant = await aTenant();
    const first = await findable(tenant);
    const late = newSet({ documentId: "doc_2" });
    const { owner, place } = expectKind(await reserve(tenant, late), "reserved");
    await account().deleteTenant(tenant.id);
    const index = vectorIndex(vectorStoresOf(env), owner, place);
    const set = aSet([drawnVector(random), drawnVector(random)], { key: late.key });
    expect(await index.write(set)).toBe(false);
    expect(await isStored(tenant, first)).toBe(false);
  });
});
