import type { VectorRef } from "../domain/search/code-table.ts";
import {
  byScore,
  type Passage,
  parseVectorId,
  type SearchFilter,
  type Space,
  vectorId,
  type VectorOwner,
} from "../domain/search/vector-set.ts";
import type { VectorIndex, WrittenSet } from "./vector-index.ts";

// Vectors in the account's Vectorize index. What is written can be found after some seconds, and what is
// removed can be found for some: the tenant's object knows which sets there are, and has the last word.

/** The binding, as far as this is concerned. */
export type VectorizeBinding = Pick<Vectorize, "query" | "upsert" | "deleteByIds" | "getByIds">;

/**
 * How tenants are kept apart. `namespaces`: each has its own, of which an account has 50,000 (1,000 on the
 * free plan). `metadata`: by the field `owner`, which needs a metadata index.
 */
export type Separation = "namespaces" | "metadata";

export interface VectorizeStore {
  readonly binding: VectorizeBinding;
  readonly separation: Separation;
}

// Limits of Vectorize: https://developers.cloudflare.com/vectorize/platform/limits/
const MOST_UPSERTED = 1000;
const MOST_HITS = 100;
/** As the service says it: "max id count is 100" (error 40007). */
const MOST_DELETED = 100;
const MOST_READ = 20;

/** Numbers of all vectors of one request, which has at most 100 MB. */
const MOST_NUMBERS = 1_000_000;

interface Fields {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function vectorizeIndex(
  { binding, separation }: VectorizeStore,
  owner: VectorOwner,
): VectorIndex {
  const isNamed = separation === "namespaces";
  const scope = async (space: Space) => {
    const name = await ownerName(owner, space);
    return { name, ...(isNamed && { namespace: name }) };
  };
  return {
    mostHits: MOST_HITS,
    async write(set) {
      const { name, namespace } = await scope(set.space);
      const labels = {
        document: set.documentId,
        type: set.type,
        user: await userName(owner, set.userId),
      };
      const vectors = set.passages.map((passage, ordinal): VectorizeVector => ({
        id: vectorId({ set: set.key, ordinal }),
        values: vectorAt(set, ordinal),
        ...(namespace !== undefined && { namespace }),
        metadata: { ...labels, owner: name, ...fieldsOf(passage) },
      }));
      const most = Math.floor(MOST_NUMBERS / set.space.dimensions);
      for (const some of inParts(vectors, Math.min(MOST_UPSERTED, most))) {
        // oxlint-disable-next-line no-await-in-loop -- one part after the other
        await binding.upsert([...some]);
      }
      return true;
    },
    async search({ space, vector, most, filter }) {
      const { name, namespace } = await scope(space);
      const asked = { ...(await filterOf(owner, filter)), ...(!isNamed && { owner: name }) };
      const { matches } = await binding.query(vector, {
        topK: Math.min(most, MOST_HITS),
        returnValues: false,
        returnMetadata: "none",
        ...(namespace !== undefined && { namespace }),
        ...(Object.keys(asked).length > 0 && { filter: asked }),
      });
      return matches
        .flatMap(({ id, score }) => {
          const ref = parseVectorId(id);
          return ref === null ? [] : [{ ...ref, score, passage: null }];
        })
        .toSorted(byScore);
    },
    async read(space, refs) {
      const { name } = await scope(space);
      const parts = inParts(refs.map(vectorId), MOST_READ);
      const found = await Promise.all(parts.map((ids) => binding.getByIds([...ids])));
      const known = new Map(found.flat().map((vector) => [vector.id, vector]));
      return refs.map((ref: VectorRef) => {
        const metadata = known.get(vectorId(ref))?.metadata;
        return metadata?.["owner"] === name ? passageIn(metadata) : null;
      });
    },
    async remove({ key, chunks }) {
      const ids = Array.from({ length: chunks }, (_, ordinal) => vectorId({ set: key, ordinal }));
      for (const some of inParts(ids, MOST_DELETED)) {
        // oxlint-disable-next-line no-await-in-loop -- a failure is repeated as a whole
        await binding.deleteByIds([...some]);
      }
    },
  };
}

const fieldsOf = ({ start, end, text }: Passage) => ({ start, end, text }) satisfies Fields;

/** Null: not as we write it. */
function passageIn(metadata: Readonly<Record<string, unknown>>): Passage | null {
  const { start, end, text } = metadata;
  if (typeof start !== "number" || typeof end !== "number" || typeof text !== "string") return null;
  return { start, end, text };
}

const vectorAt = ({ vectors, space: { dimensions } }: WrittenSet, ordinal: number): Float32Array =>
  vectors.slice(ordinal * dimensions, (ordinal + 1) * dimensions);

/** By metadata indexes, each of the first 64 bytes of a value: all values are shorter. */
async function filterOf(owner: VectorOwner, { documentIds, types, userId }: SearchFilter) {
  return {
    ...(documentIds !== undefined && { document: { $in: [...documentIds] } }),
    ...(types !== undefined && { type: { $in: [...types] } }),
    ...(userId !== undefined && { user: await userName(owner, userId) }),
  } satisfies VectorizeVectorMetadataFilter;
}

/** The person's id stays out of the index. */
const userName = async (
  { tenant, generation }: VectorOwner,
  userId: string | null,
): Promise<string> => (userId === null ? "" : hashed(JSON.stringify([tenant, generation, userId])));

const ownerName = ({ tenant, generation }: VectorOwner, { model, dimensions }: Space) =>
  hashed(JSON.stringify([tenant, generation, model, dimensions]));

/** 43 characters. */
async function hashed(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
}

const inParts = <Item>(items: readonly Item[], most: number): (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / most) }, (_, at) =>
    items.slice(at * most, (at + 1) * most),
  );
