import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import * as fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { chunkText } from "../../src/domain/search/chunk-text.ts";
import { EMBEDDING_MODEL } from "../../src/domain/search/search-models.ts";
import { cosine } from "../../src/domain/search/vector-code.ts";
import { dimensionsOf, hashedVector } from "../../src/engines/embedded/embedding.ts";
import { shardName } from "../../src/vectors/shard-index.ts";
import { admin, ask, makeTenant, type TestTenant } from "../client.ts";
import { cleanUp, stopClock } from "../durable-objects/a-tenant.ts";

// Random histories of tenants and their documents, through the routes, the tenant's object and its shards.
// Tenants have documents of the same ids about the same things. A search must find every passage of a
// tenant's present documents, and nothing else.

afterEach(cleanUp);

const TENANTS = 3;
const DOCUMENTS = 4;
const USERS = 2;

const SENTENCES = [
  "The lease of the workshop ends in March.",
  "Tomatoes need sun and water.",
  "The ferry crosses the lake four times a day.",
  "The rent is due on the first of the month.",
  "Plant the seeds in May, after the last frost.",
];
const QUERIES = ["When does the lease end?", "ferry", "seeds and water"];

const tenant = fc.nat({ max: TENANTS - 1 });
const document = fc.nat({ max: DOCUMENTS - 1 });
const content = fc.record({
  first: fc.nat({ max: SENTENCES.length - 1 }),
  /** Of 60 sentences there are three or four passages. */
  sentences: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })),
});
const kind = <Kind extends string>(name: Kind) => fc.constant(name);

const act = fc.oneof(
  // `isCut`: the process dies when the vectors are written, and before they are ready.
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind("store"), tenant, document, content, isCut: kind("no") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind("store"), tenant, document, content, isCut: kind("yes") }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind("delete"), tenant, document }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("renew"), tenant }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("evict"), tenant }) },
  // The alarm removes the vectors that are due.
  { weight: 1, arbitrary: fc.record({ kind: kind("later"), tenant }) },
);

interface Kept {
  readonly text: string;
  readonly userId: string;
  readonly isFindable: boolean;
}

/** A tenant, and what it must find. */
interface Known {
  access: TestTenant;
  generation: number;
  readonly documents: Map<string, Kept>;
}

const SETTINGS = {
  rpm: { requests: 100_000, text_embeddings: 100_000 },
  max_in_flight: 100,
};

/** The tenant's object, for a process that dies before it hears of the vectors. */
const cutOff = (id: string): Readonly<Record<string, unknown>> => ({
  TENANT: {
    getByName: () =>
      new Proxy(env.TENANT.getByName(id), {
        get: (stub, name) =>
          name === "settle" || name === "vectorsWritten"
            ? () => Promise.reject(new Error("killed"))
            : (Reflect.get(stub, name) as unknown),
      }),
  },
});

let texts = 0;
/** Each text is another one, so that a passage of an earlier one is told from it. */
function textOf({ first, sentences }: { readonly first: number; readonly sentences: number }) {
  texts += 1;
  return Array.from(
    { length: sentences },
    (_, at) => `${SENTENCES[(first + at) % SENTENCES.length]} Note ${texts}.`,
  ).join(" ");
}

const userOf = (at: number): string => `user_${at % USERS}`;

async function play(known: Known, step: typeof act extends fc.Arbitrary<infer Act> ? Act : never) {
  const { call, id, key } = known.access;
  switch (step.kind) {
    case "store": {
      const documentId = `doc_${step.document}`;
      await remove(known, documentId);
      const text = textOf(step.content);
      const userId = userOf(step.document);
      const isFindable = step.isCut === "no";
      const body = { id: documentId, type: "other", content: text, tasks: [], user_id: userId };
      const stored = await call("POST", "/v1/documents", { ...body, search: isFindable });
      expect([stored.status, stored.body]).toEqual([200, expect.anything()]);
      if (!isFindable) {
        const other = cutOff(id);
        await ask("POST", `/v1/documents/${documentId}/embed`, { key, env: other });
      }
      known.documents.set(documentId, { text, userId, isFindable });
      return;
    }
    case "delete":
      return remove(known, `doc_${step.document}`);
    case "renew":
      expect((await admin("DELETE", `/admin/tenants/${id}`)).status).toBe(204);
      known.access = await makeTenant(id, SETTINGS);
      known.generation += 1;
      known.documents.clear();
      return;
    case "evict": {
      const owner = { tenant: id, generation: known.generation };
      const shard = env.VECTORS.getByName(shardName(owner, 0));
      await shard.read([]);
      return evictDurableObject(shard);
    }
    case "later":
      vi.setSystemTime(Date.now() + 200_000);
      await runDurableObjectAlarm(env.TENANT.getByName(id));
  }
}

async function remove({ access: { call }, documents }: Known, documentId: string): Promise<void> {
  const isThere = documents.delete(documentId);
  const { status } = await call("DELETE", `/v1/documents/${documentId}`);
  expect(status).toBe(isThere ? 204 : 404);
}

const vectorOf = (text: string): Float32Array =>
  Float32Array.from(hashedVector(text, dimensionsOf(EMBEDDING_MODEL) ?? 0));

/** All passages of what may be found, compared one by one: the best first. */
function bruteForce(
  { documents }: Known,
  query: string,
  isMeant: (id: string, of: Kept) => boolean,
) {
  const wanted = vectorOf(query);
  return [...documents]
    .filter(([id, kept]) => kept.isFindable && isMeant(id, kept))
    .flatMap(([id, { text, userId }]) =>
      chunkText(text).map(({ start, end }) => {
        const passage = text.slice(start, end);
        const score = cosine(vectorOf(passage), wanted);
        return { document_id: id, user_id: userId, start, end, text: passage, score };
      }),
    )
    .toSorted((a, b) => b.score - a.score);
}

const placeOf = ({
  document_id: id,
  start,
}: {
  readonly document_id: string;
  readonly start: number;
}) => `${id} ${String(start).padStart(6, "0")}`;
const byPlace = <Found extends Parameters<typeof placeOf>[0]>(found: readonly Found[]): Found[] =>
  found.toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)));

const FILTERS: readonly {
  readonly filter: object;
  readonly isMeant: (id: string, of: Kept) => boolean;
}[] = [
  { filter: {}, isMeant: () => true },
  { filter: { user_id: userOf(1) }, isMeant: (_, { userId }) => userId === userOf(1) },
  {
    filter: { document_ids: ["doc_0", "doc_3"] },
    isMeant: (id) => id === "doc_0" || id === "doc_3",
  },
];

/** All that is there, and the nearest ones of it in their order. */
async function expectFound(known: Known, query: string): Promise<void> {
  const search = async (filter: object, most: number) => {
    const body = { query, filter, top_k: most };
    const reply = await known.access.call("POST", "/v1/documents/search", body);
    expect([reply.status, reply.body.complete]).toEqual([200, true]);
    return reply.body.data;
  };
  for (const { filter, isMeant } of FILTERS) {
    const expected = bruteForce(known, query, isMeant);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const all = await search(filter, 50);
    expect(byPlace(all)).toEqual(
      byPlace(expected).map(({ score, ...passage }) => ({
        ...passage,
        type: "other",
        score: expect.closeTo(score, 5),
        rank: null,
      })),
    );
    // oxlint-disable-next-line no-await-in-loop -- as above
    const nearest: { score: number }[] = await search(filter, 3);
    const scores = expected.slice(0, 3).map(({ score }) => expect.closeTo(score, 5));
    expect(nearest.map(({ score }) => score)).toEqual(scores);
  }
}

it("finds every passage of a tenant's present documents and nothing else, whatever was there before", async () => {
  stopClock();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 14 }), async (history) => {
      run += 1;
      const all: Known[] = [];
      for (let at = 0; at < TENANTS; at += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const access = await makeTenant(`history-${run}-${at}`, SETTINGS);
        all.push({ access, generation: 1, documents: new Map() });
      }
      for (const [at, step] of history.entries()) {
        const known = all[step.tenant] as Known;
        // oxlint-disable-next-line no-await-in-loop -- a history
        await play(known, step);
        // oxlint-disable-next-line no-await-in-loop -- as above
        await expectFound(known, QUERIES[at % QUERIES.length] as string);
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      for (const known of all) await expectFound(known, QUERIES[0] as string);
    }),
    { numRuns: 12 },
  );
}, 600_000);
