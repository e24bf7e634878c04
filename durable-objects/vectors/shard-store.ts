import type { VectorRef } from "../../src/domain/search/code-table.ts";
import type { VectorCode } from "../../src/domain/search/vector-code.ts";
import type { Passage, SetLabels, Space } from "../../src/domain/search/vector-set.ts";
import type { Database } from "../database.ts";

/** A set of a shard, without its vectors. */
export interface StoredSet extends SetLabels {
  readonly key: string;
  readonly chunks: number;
}

/** The space of a shard, and whether it takes writes. */
export interface ShardState extends Space {
  /** Null: it is open. */
  readonly closedAtMs: number | null;
}

/** Codes in one row: half a megabyte where vectors have 4,096 numbers. */
const CODES_A_ROW = 128;

type SetRow = {
  key: string;
  document_id: string;
  type: string;
  user_id: string | null;
  chunks: number;
};

type CodeRow = {
  set_key: string;
  first: number;
  codes: ArrayBuffer;
  scales: ArrayBuffer;
  residuals: ArrayBuffer;
};

/** Vectors in the tables of a shard, and what belongs to them. */
export class ShardStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Null: nothing was written yet. */
  readState(): ShardState | null {
    const [row] = this.#db.run<{ model: string; dimensions: number; closed_at_ms: number | null }>(
      "SELECT model, dimensions, closed_at_ms FROM shard",
    );
    if (row === undefined) return null;
    return { model: row.model, dimensions: row.dimensions, closedAtMs: row.closed_at_ms };
  }

  writeState({ model, dimensions, closedAtMs }: ShardState): void {
    this.#db.run("INSERT OR REPLACE INTO shard VALUES (1, ?, ?, ?)", model, dimensions, closedAtMs);
  }

  listSets(): StoredSet[] {
    return this.#db.run<SetRow>("SELECT * FROM vector_sets").map((row) => ({
      key: row.key,
      documentId: row.document_id,
      type: row.type,
      userId: row.user_id,
      chunks: row.chunks,
    }));
  }

  insertSet({ key, documentId, type, userId, chunks }: StoredSet): void {
    const values = [key, documentId, type, userId, chunks];
    this.#db.run("INSERT INTO vector_sets VALUES (?, ?, ?, ?, ?)", ...values);
  }

  insertPassage({ set, ordinal }: VectorRef, passage: Passage, vector: Float32Array): void {
    this.#db.run(
      "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
      set,
      ordinal,
      passage.start,
      passage.end,
      passage.text,
      vector.slice().buffer,
    );
  }

  insertCodes(set: string, codes: readonly VectorCode[]): void {
    for (let first = 0; first < codes.length; first += CODES_A_ROW) {
      const some = codes.slice(first, first + CODES_A_ROW);
      this.#db.run(
        "INSERT INTO codes VALUES (?, ?, ?, ?, ?)",
        set,
        first,
        joined(some.map(({ code }) => code)),
        Float64Array.from(some, ({ scale }) => scale).buffer,
        Float64Array.from(some, ({ residual }) => residual).buffer,
      );
    }
  }

  /** The codes of a set, row by row. */
  listCodes(set: string, dimensions: number): { ref: VectorRef; code: VectorCode }[] {
    const rows = this.#db.run<CodeRow>("SELECT * FROM codes WHERE set_key = ?", set);
    return rows.flatMap(({ first, codes, scales, residuals }) => {
      const bounds = new Float64Array(residuals);
      return Array.from(new Float64Array(scales), (scale, at) => ({
        ref: { set, ordinal: first + at },
        code: {
          code: new Int8Array(codes, at * dimensions, dimensions),
          scale,
          residual: bounds[at] ?? 0,
        },
      }));
    });
  }

  /** Null: it is gone. */
  readVector({ set, ordinal }: VectorRef): Float32Array | null {
    const [row] = this.#db.run<{ vector: ArrayBuffer }>(
      "SELECT vector FROM passages WHERE set_key = ? AND ordinal = ?",
      set,
      ordinal,
    );
    return row === undefined ? null : new Float32Array(row.vector);
  }

  /** Null: it is gone. */
  readPassage({ set, ordinal }: VectorRef): Passage | null {
    const [row] = this.#db.run<{ start_at: number; end_at: number; text: string }>(
      "SELECT start_at, end_at, text FROM passages WHERE set_key = ? AND ordinal = ?",
      set,
      ordinal,
    );
    return row === undefined ? null : { start: row.start_at, end: row.end_at, text: row.text };
  }

  removeSet(key: string): void {
    this.#db.run("DELETE FROM passages WHERE set_key = ?", key);
    this.#db.run("DELETE FROM codes WHERE set_key = ?", key);
    this.#db.run("DELETE FROM vector_sets WHERE key = ?", key);
  }

  removeAll(): void {
    for (const table of ["passages", "codes", "vector_sets"]) this.#db.run(`DELETE FROM ${table}`);
  }
}

function joined(codes: readonly Int8Array[]): ArrayBuffer {
  const all = new Int8Array(codes.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const code of codes) {
    all.set(code, at);
    at += code.length;
  }
  return all.buffer;
}
