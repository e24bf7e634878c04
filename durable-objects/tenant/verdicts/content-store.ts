import type {
  KeptPicture,
  KeptFiles,
  KeptContent,
  ContentRead,
} from "../../../src/domain/moderation/kept-content.ts";
import type { FeatureDatabase, StagedDatabase, Database } from "../../database.ts";
import { CONTENTS } from "./people-schema.ts";
import { VERDICTS } from "./verdict-schema.ts";

type ContentRow = {
  verdict_id: string;
  created_at_ms: number;
  text: string | null;
  pictures: string;
};

type ReadRow = {
  id: string;
  at_ms: number;
  key_id: string | null;
  request_id: string;
  verdict_id: string;
};

/** Contents of up to 100 KB each on one page. */
const PAGE = 20;

export class ContentStore {
  readonly #db: FeatureDatabase;
  readonly #verdicts: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(CONTENTS);
    this.#verdicts = db.of(VERDICTS);
  }

  insert({ verdictId, text, pictures }: KeptContent, nowMs: number): void {
    this.#db.run(
      `INSERT INTO contents (verdict_id, created_at_ms, text, pictures) VALUES (?, ?, ?, ?)
        ON CONFLICT (verdict_id) DO NOTHING`,
      verdictId,
      nowMs,
      text,
      JSON.stringify(pictures),
    );
  }

  /** Null: there is none, or it was kept before `sinceMs`. */
  read(verdictId: string, sinceMs: number): KeptContent | null {
    const [row] = this.#db.run<ContentRow>(
      "SELECT * FROM contents WHERE verdict_id = ? AND created_at_ms >= ?",
      verdictId,
      sinceMs,
    );
    return row === undefined ? null : toContent(row);
  }

  /** Of one person, by the verdicts that they are of. */
  ofPerson(
    person: string,
    after: string,
  ): { contents: readonly KeptContent[]; next: string | null } {
    if (!this.#verdicts.isThere) return { contents: [], next: null };
    const rows = this.#db.run<ContentRow>(
      `SELECT contents.* FROM contents JOIN verdicts ON verdicts.id = contents.verdict_id
        WHERE verdicts.user_id = ? AND contents.verdict_id > ? ORDER BY contents.verdict_id LIMIT ?`,
      person,
      after,
      PAGE,
    );
    const next = rows.length < PAGE ? null : (rows.at(-1)?.verdict_id ?? null);
    return { contents: rows.map(toContent), next };
  }

  delete(verdictId: string): void {
    this.#db.run("DELETE FROM contents WHERE verdict_id = ?", verdictId);
  }

  /** When the oldest was kept; null: there is none. */
  oldestMs(): number | null {
    const oldest = "SELECT created_at_ms AS at FROM contents ORDER BY verdict_id LIMIT 1";
    return this.#db.run<{ at: number }>(oldest)[0]?.at ?? null;
  }

  /** Kept before a time, the oldest first. Their texts, up to 100 KB each, are not read. */
  listBefore(beforeMs: number, limit: number): KeptFiles[] {
    return this.#db
      .run<Omit<ContentRow, "text">>(
        "SELECT verdict_id, created_at_ms, pictures FROM contents ORDER BY verdict_id LIMIT ?",
        limit,
      )
      .filter((row) => row.created_at_ms < beforeMs)
      .map(toFiles);
  }

  insertRead(read: ContentRead): void {
    this.#db.run(
      `INSERT INTO content_reads (id, at_ms, key_id, request_id, verdict_id)
        VALUES (?, ?, ?, ?, ?)`,
      read.id,
      read.atMs,
      read.keyId,
      read.requestId,
      read.verdictId,
    );
  }

  /** The newest first, before an id. */
  listReads(before: string, limit: number): ContentRead[] {
    return this.#db
      .run<ReadRow>(
        "SELECT * FROM content_reads WHERE id < ? ORDER BY id DESC LIMIT ?",
        before,
        limit + 1,
      )
      .map((row) => ({
        id: row.id,
        atMs: row.at_ms,
        keyId: row.key_id,
        requestId: row.request_id,
        verdictId: row.verdict_id,
      }));
  }

  /** When the oldest record of reading was made; null: there is none. */
  oldestReadMs(): number | null {
    const oldest = "SELECT at_ms AS at FROM content_reads ORDER BY id LIMIT 1";
    return this.#db.run<{ at: number }>(oldest)[0]?.at ?? null;
  }

  /** Deletes at most `limit` records of reading; true when there may be more. */
  purgeReads(beforeMs: number, limit: number): boolean {
    const old = this.#db
      .run<{ id: string; at_ms: number }>(
        "SELECT id, at_ms FROM content_reads ORDER BY id LIMIT ?",
        limit,
      )
      .filter(({ at_ms }) => at_ms < beforeMs);
    for (const { id } of old) this.#db.run("DELETE FROM content_reads WHERE id = ?", id);
    return old.length === limit;
  }
}

const toFiles = (row: Omit<ContentRow, "text">): KeptFiles => ({
  verdictId: row.verdict_id,
  pictures: JSON.parse(row.pictures) as (KeptPicture | null)[],
});

const toContent = (row: ContentRow): KeptContent => ({ ...toFiles(row), text: row.text });

/**
 * Verdicts of which pictures may lie in the bucket that no row of `contents` names: written down
 * before the first of them can be there, so that a call that dies leaves nothing for ever.
 */
export class ContentFileStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  expect(verdictId: string, eraseAtMs: number): void {
    this.#db.run(
      "INSERT OR REPLACE INTO content_files (verdict_id, erase_at_ms) VALUES (?, ?)",
      verdictId,
      eraseAtMs,
    );
  }

  /** Its pictures are named by `contents`, or gone. */
  remove(verdictId: string): void {
    this.#db.run("DELETE FROM content_files WHERE verdict_id = ?", verdictId);
  }

  /** Those that are due, in any order. */
  listDue(nowMs: number, limit: number): string[] {
    return this.#db
      .run<{ verdict_id: string }>(
        "SELECT verdict_id FROM content_files WHERE erase_at_ms <= ? LIMIT ?",
        nowMs,
        limit,
      )
      .map(({ verdict_id }) => verdict_id);
  }

  /** When the first is due; null: none is. As many rows as there are calls in progress. */
  dueMs(): number | null {
    const [row] = this.#db.run<{ due: number | null }>(
      "SELECT MIN(erase_at_ms) AS due FROM content_files",
    );
    return row?.due ?? null;
  }
}
