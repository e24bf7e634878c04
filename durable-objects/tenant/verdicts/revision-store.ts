import type { Revision } from "../../../src/domain/moderation/verdict.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { firstIdAfter, lastIdBefore } from "../../id-range.ts";
import { REVISIONS } from "./people-schema.ts";
import { VERDICTS } from "./verdict-schema.ts";

/** Verdicts whose revisions are on one page. */
const PAGE = 50;

export class RevisionStore {
  readonly #db: FeatureDatabase;
  readonly #verdicts: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(REVISIONS);
    this.#verdicts = db.of(VERDICTS);
  }

  write(revision: Revision): void {
    const { verdictId, revision: number, ...body } = revision;
    this.#db.run(
      "INSERT OR REPLACE INTO revisions (verdict_id, revision, body) VALUES (?, ?, ?)",
      verdictId,
      number,
      JSON.stringify(body),
    );
  }

  /** The latest first; none for a verdict that nobody has decided. */
  list(verdictId: string): Revision[] {
    return this.#db
      .run<{ revision: number; body: string }>(
        "SELECT revision, body FROM revisions WHERE verdict_id = ? ORDER BY revision DESC",
        verdictId,
      )
      .map(({ revision, body }) => ({
        ...(JSON.parse(body) as Omit<Revision, "verdictId" | "revision">),
        verdictId,
        revision,
      }));
  }

  /** Ids of verdicts that people have decided, newest first; the exact time is for the caller to compare. */
  decided(
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    before: string | null,
    limit: number,
  ): string[] {
    return this.#db
      .run<{ id: string }>(
        `SELECT DISTINCT verdict_id AS id FROM revisions
          WHERE verdict_id >= ? AND verdict_id < ? ORDER BY verdict_id DESC LIMIT ?`,
        lastIdBefore("vrd", fromMs),
        before ?? firstIdAfter("vrd", toMs),
        limit,
      )
      .map(({ id }) => id);
  }

  /** Of one person's verdicts, a page after one of them. */
  ofPerson(person: string, after: string): { revisions: readonly Revision[]; next: string | null } {
    if (!this.#verdicts.isThere) return { revisions: [], next: null };
    const ids = this.#db
      .run<{ id: string }>(
        `SELECT DISTINCT revisions.verdict_id AS id FROM verdicts
          JOIN revisions ON revisions.verdict_id = verdicts.id
          WHERE verdicts.user_id = ? AND verdicts.id > ? ORDER BY verdicts.id LIMIT ?`,
        person,
        after,
        PAGE,
      )
      .map(({ id }) => id);
    const next = ids.length < PAGE ? null : (ids.at(-1) ?? null);
    return { revisions: ids.flatMap((id) => this.list(id)), next };
  }

  delete({ verdictId, revision }: Pick<Revision, "verdictId" | "revision">): void {
    this.#db.run(
      "DELETE FROM revisions WHERE verdict_id = ? AND revision = ?",
      verdictId,
      revision,
    );
  }
}
