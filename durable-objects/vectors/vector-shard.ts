import { DurableObject } from "cloudflare:workers";
import { CodeTable, type VectorRef } from "../../src/domain/search/code-table.ts";
import { cosine, encodeVector } from "../../src/domain/search/vector-code.ts";
import {
  byScore,
  matches,
  MOST_IN_SHARD,
  type Passage,
  type PlacedHit,
  type VectorHit,
} from "../../src/domain/search/vector-set.ts";
import type { VectorQuery, WrittenSet } from "../../src/vectors/vector-index.ts";
import { type Database, migrate, objectDatabase } from "../database.ts";
import { type Forgettable, MemoryBudget } from "./memory-budget.ts";
import { SHARD_MIGRATIONS } from "./shard-schema.ts";
import { ShardStore, type StoredSet } from "./shard-store.ts";
import { vectorProducts } from "./vector-products.ts";

/**
 * How long after its end a shard remembers that it takes no writes: no call that was admitted before can
 * still write then. A hold lasts 90 s, and its last words are repeated for seconds.
 */
const CLOSED_MS = 600_000;

/** Of codes, for all shards of an isolate together: three full ones of 1,024 numbers, of its 128 MB. */
const BUDGET = new MemoryBudget(64 * 1024 * 1024);

/**
 * Up to 20,000 passages of one tenant, and the exact search over them. It is apart from the tenant's object,
 * so that no search keeps a call waiting. A shard that was never written has no tables.
 *
 * Memory has a byte for each number of each vector (`CodeTable`). The few that may be among the nearest are
 * then compared as they are, in 32-bit floats.
 */
export class VectorShard extends DurableObject<Env> {
  readonly #db: Database;
  readonly #store: ShardStore;
  #isMade: boolean;
  readonly #memory = new ShardMemory();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = objectDatabase(ctx.storage);
    this.#store = new ShardStore(this.#db);
    this.#isMade = this.#db.run("SELECT 1 FROM sqlite_master WHERE name = 'shard'").length > 0;
    if (this.#isMade) migrate(this.#db, SHARD_MIGRATIONS);
  }

  /** False: it has no room for the set, is for another space, or is closed. A set is written once. */
  write(set: WrittenSet): boolean {
    this.#make();
    const { key, space, passages, vectors } = set;
    const { model, dimensions } = space;
    if (vectors.length !== passages.length * dimensions) throw new RangeError("not all vectors");
    const state = this.#store.readState();
    if (state !== null) {
      if (state.closedAtMs !== null) return false;
      if (state.model !== model || state.dimensions !== dimensions) return false;
    }
    const { table, sets } = this.#read(dimensions);
    if (sets.has(key)) return true;
    if (table.size + passages.length > MOST_IN_SHARD) return false;
    const stored: StoredSet = { ...labelsOf(set), key, chunks: passages.length };
    const each = passages.map((_, at) => vectors.slice(at * dimensions, (at + 1) * dimensions));
    const codes = each.map(encodeVector);
    // Until it is written, memory may differ from it.
    this.#memory.forget();
    this.#db.transaction(() => {
      if (state === null) this.#store.writeState({ ...space, closedAtMs: null });
      this.#store.insertSet(stored);
      this.#store.insertCodes(key, codes);
      for (const [ordinal, passage] of passages.entries()) {
        const vector = each[ordinal];
        if (vector === undefined) throw new RangeError("a vector is missing");
        this.#store.insertPassage({ set: key, ordinal }, passage, vector);
      }
    });
    for (const [ordinal, code] of codes.entries()) table.add({ set: key, ordinal }, code);
    sets.set(key, stored);
    this.#keep({ table, sets });
    return true;
  }

  /**
   * The nearest of all that the filter takes, exactly, with their passages. Nothing for a query of
   * another space.
   */
  search({ space, vector, most, filter, without = [] }: VectorQuery): PlacedHit[] {
    const state = this.#isMade ? this.#store.readState() : null;
    if (state === null || state.closedAtMs !== null) return [];
    const { model, dimensions } = state;
    if (model !== space.model || dimensions !== space.dimensions) return [];
    const { table, sets } = this.#read(dimensions);
    const leftOut = new Set(without);
    const takes = (key: string): boolean => {
      const set = sets.get(key);
      return set !== undefined && !leftOut.has(key) && matches(filter, set);
    };
    let hits: VectorHit[] = [];
    for (const { reach, set, ordinal } of table.nearest(vector, most, takes)) {
      if (reach < (hits[most - 1]?.score ?? -Infinity)) break;
      const stored = this.#store.readVector({ set, ordinal });
      if (stored === null) continue;
      const hit = { set, ordinal, score: cosine(stored, vector) };
      hits = [...hits, hit].toSorted(byScore).slice(0, most);
    }
    return hits.map((hit) => ({ ...hit, passage: this.#store.readPassage(hit) }));
  }

  read(refs: readonly VectorRef[]): (Passage | null)[] {
    return refs.map((ref) => (this.#isMade ? this.#store.readPassage(ref) : null));
  }

  remove(key: string): void {
    if (!this.#isMade) return;
    const { known } = this.#memory;
    this.#memory.forget();
    this.#db.transaction(() => this.#store.removeSet(key));
    known?.table.removeSet(key);
    known?.sets.delete(key);
    this.#memory.known = known;
  }

  /**
   * Nothing is left, and nothing comes any more: that is remembered for ten minutes, then the object is gone.
   */
  async close(): Promise<void> {
    this.#make();
    this.#memory.forget();
    const nowMs = Date.now();
    this.#db.transaction(() => {
      const state = this.#store.readState() ?? { model: "", dimensions: 1 };
      this.#store.writeState({ ...state, closedAtMs: nowMs });
      this.#store.removeAll();
    });
    await this.ctx.storage.setAlarm(nowMs + CLOSED_MS);
  }

  override async alarm(): Promise<void> {
    if (this.#isMade && this.#store.readState()?.closedAtMs === null) return;
    this.#isMade = false;
    this.#memory.forget();
    await this.ctx.storage.deleteAll();
  }

  #make(): void {
    if (this.#isMade) return;
    migrate(this.#db, SHARD_MIGRATIONS);
    this.#isMade = true;
  }

  #read(dimensions: number): KnownVectors {
    const { known } = this.#memory;
    if (known !== null) return this.#keep(known);
    const table = new CodeTable(dimensions, vectorProducts, MOST_IN_SHARD);
    const sets = new Map(this.#store.listSets().map((set) => [set.key, set]));
    for (const key of sets.keys()) {
      for (const { ref, code } of this.#store.listCodes(key, dimensions)) table.add(ref, code);
    }
    return this.#keep({ table, sets });
  }

  #keep(known: KnownVectors): KnownVectors {
    this.#memory.known = known;
    BUDGET.used(this.#memory);
    return known;
  }
}

interface KnownVectors {
  readonly table: CodeTable;
  readonly sets: Map<string, StoredSet>;
}

/** What a shard has read from its tables. */
class ShardMemory implements Forgettable {
  /** Null: not read since the object started, forgotten for another shard, or a write has failed. */
  known: KnownVectors | null = null;

  get bytes(): number {
    return this.known?.table.bytes ?? 0;
  }

  forget(): void {
    this.known = null;
  }
}

const labelsOf = ({ documentId, type, userId }: WrittenSet) => ({ documentId, type, userId });
