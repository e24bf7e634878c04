import type { VectorSet } from "../../../src/domain/search/vector-set.ts";
import {
  MOST_IN_SHARD,
  MOST_SHARDS,
  type Space,
  VECTORIZE,
} from "../../../src/domain/search/vector-set.ts";
import type { Database, SqlValue } from "../../database.ts";

type SetRow = {
  key: string;
  document_id: string;
  revision: string;
  type: string;
  user_id: string | null;
  model: string;
  dimensions: number;
  shard: number | null;
  chunks: number;
  state: VectorSet["state"];
  due_at_ms: number | null;
  tries: number;
};

type ShardRow = { number: number; model: string; dimensions: number; chunks: number };

/** Sets looked at for one page of a person's data. */
const PAGE = 100;

/** The sets of vectors of a tenant, and how full its shards are. */
export class VectorSetStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(key: string): VectorSet | null {
    return this.#sets("WHERE key = ?", key)[0] ?? null;
  }

  readReady(documentId: string): VectorSet | null {
    return this.#sets("WHERE document_id = ? AND state = 'ready'", documentId)[0] ?? null;
  }

  ofDocument(documentId: string): VectorSet[] {
    return this.#sets("WHERE document_id = ?", documentId);
  }

  /** A page of a person's sets, by key. */
  ofPerson(
    userId: string,
    after: string,
  ): { readonly sets: readonly VectorSet[]; readonly next: string | null } {
    const sets = this.#sets(
      "WHERE user_id = ? AND key > ? ORDER BY key LIMIT ?",
      userId,
      after,
      PAGE,
    );
    return { sets, next: sets.length < PAGE ? null : (sets.at(-1)?.key ?? null) };
  }

  /** Sets in any state, by key. */
  list(after: string, limit: number): VectorSet[] {
    return this.#sets("WHERE key > ? ORDER BY key LIMIT ?", after, limit);
  }

  /** Those that are to be removed by now, the longest due first. */
  listDue(nowMs: number, limit: number): VectorSet[] {
    return this.#sets("WHERE due_at_ms <= ? ORDER BY due_at_ms LIMIT ?", nowMs, limit);
  }

  /** When the first is to be removed; null: none is. */
  dueMs(): number | null {
    const [row] = this.#db.run<{ due: number | null }>(
      "SELECT MIN(due_at_ms) AS due FROM vector_sets WHERE due_at_ms IS NOT NULL",
    );
    return row?.due ?? null;
  }

  /** A new set, for which its shard keeps the room. */
  insert(set: VectorSet): void {
    this.#write(set);
    const { place, space, chunks } = set;
    if (place.kind !== "shard") return;
    this.#db.run(
      `INSERT INTO vector_shards VALUES (?, ?, ?, ?)
        ON CONFLICT (number) DO UPDATE SET chunks = chunks + excluded.chunks`,
      place.number,
      space.model,
      space.dimensions,
      chunks,
    );
  }

  update(set: VectorSet): void {
    this.#write(set);
  }

  /** Its vectors are gone. */
  delete({ key, place, chunks }: VectorSet): void {
    this.#db.run("DELETE FROM vector_sets WHERE key = ?", key);
    if (place.kind !== "shard") return;
    this.#db.run(
      "UPDATE vector_shards SET chunks = chunks - ? WHERE number = ?",
      chunks,
      place.number,
    );
  }

  /** The first shard of a space with room; a new one where there is none; null: there may be no more. */
  shardFor({ model, dimensions }: Space, chunks: number): number | null {
    const shards = this.#shards();
    const ofSpace = shards.filter((one) => one.model === model && one.dimensions === dimensions);
    const free = ofSpace.find((one) => one.chunks + chunks <= MOST_IN_SHARD);
    if (free !== undefined) return free.number;
    if (shards.length >= MOST_SHARDS) return null;
    return (shards.at(-1)?.number ?? -1) + 1;
  }

  /** Whether a shard of any space could take them. */
  hasRoom(chunks: number): boolean {
    const shards = this.#shards();
    return (
      shards.length < MOST_SHARDS || shards.some((one) => one.chunks + chunks <= MOST_IN_SHARD)
    );
  }

  /** The numbers of shards that were ever written. */
  listShards(space?: Space): number[] {
    return this.#shards()
      .filter(
        ({ model, dimensions }) =>
          space === undefined || (model === space.model && dimensions === space.dimensions),
      )
      .map(({ number }) => number);
  }

  hasInVectorize(space: Space): boolean {
    const rows = this.#db.run(
      "SELECT 1 AS found FROM vector_sets WHERE shard IS NULL AND model = ? AND dimensions = ? LIMIT 1",
      space.model,
      space.dimensions,
    );
    return rows.length > 0;
  }

  #shards(): ShardRow[] {
    return this.#db.run<ShardRow>("SELECT * FROM vector_shards ORDER BY number");
  }

  #write(set: VectorSet): void {
    this.#db.run(
      "INSERT OR REPLACE INTO vector_sets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      set.key,
      set.documentId,
      set.revision,
      set.type,
      set.userId,
      set.space.model,
      set.space.dimensions,
      set.place.kind === "shard" ? set.place.number : null,
      set.chunks,
      set.state,
      set.dueAtMs,
      set.tries,
    );
  }

  #sets(where: string, ...values: SqlValue[]): VectorSet[] {
    return this.#db.run<SetRow>(`SELECT * FROM vector_sets ${where}`, ...values).map(toSet);
  }
}

const toSet = (row: SetRow): VectorSet => ({
  key: row.key,
  documentId: row.document_id,
  revision: row.revision,
  type: row.type,
  userId: row.user_id,
  space: { model: row.model, dimensions: row.dimensions },
  place: row.shard === null ? VECTORIZE : { kind: "shard", number: row.shard },
  chunks: row.chunks,
  state: row.state,
  dueAtMs: row.due_at_ms,
  tries: row.tries,
});
