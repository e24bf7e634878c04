import { cosine } from "../../src/domain/search/vector-code.ts";
import type { VectorizeBinding } from "../../src/vectors/vectorize-index.ts";

// Vectorize as its documentation and its errors describe it: mutations are taken at once and come into
// effect later, in order; the limits of each request; filters by metadata that has an index.
// https://developers.cloudflare.com/vectorize/platform/limits/

type Mutation =
  | { readonly kind: "upsert"; readonly vector: VectorizeVector }
  | { readonly kind: "delete"; readonly id: string };

const utf8 = new TextEncoder();
const bytesOf = (text: string): number => utf8.encode(text).length;

const refuse = (code: number, detail: string): never => {
  throw new Error(`VECTORIZE_ERROR (code = ${code}): ${detail}`);
};

/** What a metadata index has of a value. */
const indexed = (value: unknown): unknown =>
  typeof value === "string"
    ? new TextDecoder().decode(utf8.encode(value).slice(0, 64)).replace(/\ufffd+$/, "")
    : value;

export class FakeVectorize implements VectorizeBinding {
  readonly #dimensions: number;
  readonly #indexes: readonly string[];
  readonly #vectors = new Map<string, VectorizeVector>();
  readonly #queue: Mutation[] = [];
  /** Requests that fail from now on. */
  failing = 0;
  requests = 0;

  /** @param indexes the metadata indexes that were made before the first vector */
  constructor(dimensions: number, indexes: readonly string[]) {
    this.#dimensions = dimensions;
    this.#indexes = indexes;
  }

  /** Mutations come into effect. */
  settle(): void {
    for (const mutation of this.#queue.splice(0)) {
      if (mutation.kind === "delete") this.#vectors.delete(mutation.id);
      else this.#vectors.set(mutation.vector.id, mutation.vector);
    }
  }

  /** Everything that is, or will be, stored. */
  get stored(): string {
    return JSON.stringify([...this.#vectors.values(), ...this.#queue]);
  }

  get size(): number {
    return this.#vectors.size;
  }

  async upsert(vectors: VectorizeVector[]): Promise<VectorizeAsyncMutation> {
    this.#begin();
    if (vectors.length > 1000) refuse(40008, "too many vectors; max count is 1000");
    for (const vector of vectors) {
      if (bytesOf(vector.id) > 64) refuse(40005, "the id is too long");
      if (bytesOf(vector.namespace ?? "") > 64) refuse(40006, "the namespace is too long");
      if (bytesOf(JSON.stringify(vector.metadata ?? {})) > 10_240) refuse(40010, "metadata");
      if (vector.values.length !== this.#dimensions) refuse(40012, "wrong dimensions");
      this.#queue.push({ kind: "upsert", vector: structuredClone(vector) });
    }
    return { mutationId: crypto.randomUUID() };
  }

  async deleteByIds(ids: string[]): Promise<VectorizeAsyncMutation> {
    this.#begin();
    if (ids.length > 100) {
      refuse(40007, `too many ids in payload; max id count is 100, got ${ids.length}`);
    }
    this.#queue.push(...ids.map((id) => ({ kind: "delete" as const, id })));
    return { mutationId: crypto.randomUUID() };
  }

  async getByIds(ids: string[]): Promise<VectorizeVector[]> {
    this.#begin();
    if (ids.length > 20) refuse(40007, `too many ids in payload; max id count is 20`);
    return ids.flatMap((id) => {
      const vector = this.#vectors.get(id);
      return vector === undefined ? [] : [structuredClone(vector)];
    });
  }

  async query(
    vector: VectorFloatArray | number[],
    options: VectorizeQueryOptions = {},
  ): Promise<VectorizeMatches> {
    this.#begin();
    const { topK = 5, namespace, filter = {}, returnMetadata = "none", returnValues } = options;
    const most = returnMetadata === "all" || returnValues === true ? 50 : 100;
    if (topK > most) refuse(40025, `topK is at most ${most}`);
    if (vector.length !== this.#dimensions) refuse(40012, "wrong dimensions");
    if (bytesOf(JSON.stringify(filter)) > 2048) refuse(40026, "the filter is too large");
    const query = Float32Array.from(vector);
    const matches = [...this.#vectors.values()]
      .filter((one) => namespace === undefined || one.namespace === namespace)
      .filter((one) => this.#passes(one, filter))
      .map(({ id, values }) => ({ id, score: cosine(query, Float32Array.from(values)) }))
      .toSorted((a, b) => b.score - a.score)
      .slice(0, topK);
    return { matches, count: matches.length };
  }

  #passes({ metadata = {} }: VectorizeVector, filter: VectorizeVectorMetadataFilter): boolean {
    return Object.entries(filter).every(([field, wanted]) => {
      // Without an index nothing is found.
      if (!this.#indexes.includes(field)) return false;
      const value = indexed(metadata[field]);
      if (typeof wanted !== "object" || wanted === null) return value === wanted;
      if ("$in" in wanted) return (wanted.$in as unknown[]).includes(value);
      return refuse(40027, "this operator is not known here");
    });
  }

  #begin(): void {
    this.requests += 1;
    if (this.failing > 0) {
      this.failing -= 1;
      refuse(40041, "internal error");
    }
  }
}
