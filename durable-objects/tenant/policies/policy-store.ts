import type { Policy, PolicyVersion } from "../../../src/domain/moderation/policy.ts";
import { DEFAULT_ROUTING } from "../../../src/domain/generation/routing.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { CORE } from "../tenant-schema.ts";
import { VERDICTS } from "../verdicts/verdict-schema.ts";

/** Of JSON that is kept in memory. */
const MAX_UNITS = 4_000_000;

type PolicyRow = { name: string; version: number; body: string };

/** The body of a version that ends a policy: there is none of that name until the next one. */
const ENDED = "null";

/** How long a version stays after the next one: a call in progress may be about to name it. */
export const FOLLOWED_MS = 86_400_000;

/** Longer than an isolate lives: it may know a version of a policy that was ended. */
const REMEMBERED_MS = 30 * 86_400_000;

/**
 * Policies with their versions. A version is never edited; a new one is put beside it, also to end
 * them.
 *
 * Every call reads the latest of a name, so those that were read are kept in memory, up to some
 * megabytes: one may be 512 KB of JSON. A new version drops them all.
 */
export class PolicyStore {
  readonly #db: FeatureDatabase;
  readonly #verdicts: FeatureDatabase;
  readonly #latest = new Map<string, PolicyVersion>();
  #units = 0;

  constructor(db: StagedDatabase) {
    this.#db = db.of(CORE);
    this.#verdicts = db.of(VERDICTS);
  }

  /** For a transaction that is rolled back: what was read in it may never have been. */
  forget(): void {
    this.#latest.clear();
    this.#units = 0;
  }

  latest(name: string): PolicyVersion | null {
    const known = this.#latest.get(name);
    if (known !== undefined) return known;
    const policy = this.read(name, null);
    if (policy === null) return null;
    this.#units += JSON.stringify(policy).length;
    if (this.#units > MAX_UNITS) this.forget();
    this.#latest.set(name, policy);
    return policy;
  }

  /** The latest version, or the one that is named. */
  read(name: string, version: number | null): PolicyVersion | null {
    const row = this.#db.run<PolicyRow>(
      `SELECT name, version, body FROM policies WHERE name = ? AND version = IFNULL(?, version)
        ORDER BY version DESC LIMIT 1`,
      name,
      version,
    )[0];
    return row === undefined || row.body === ENDED ? null : toPolicy(row);
  }

  /** The latest version of each, by name. */
  list(after: string, limit: number): PolicyVersion[] {
    return this.#db
      .run<PolicyRow>(
        `SELECT name, version, body FROM policies AS latest WHERE name > ? AND body <> ?
          AND version = (SELECT MAX(version) FROM policies WHERE name = latest.name)
          ORDER BY name LIMIT ?`,
        after,
        ENDED,
        limit + 1,
      )
      .map(toPolicy);
  }

  names(): string[] {
    return this.#db
      .run<{ name: string }>("SELECT DISTINCT name FROM policies ORDER BY name")
      .map(({ name }) => name);
  }

  /** Of those in force, and of those that were ended and are still remembered. */
  countNames(): number {
    const row = this.#db.run<{ n: number }>("SELECT COUNT(DISTINCT name) AS n FROM policies")[0];
    return row?.n ?? 0;
  }

  /** After all that there were, so that no two policies have the same name and version. */
  nextVersion(name: string): number {
    const row = this.#db.run<{ version: number | null }>(
      "SELECT MAX(version) AS version FROM policies WHERE name = ?",
      name,
    )[0];
    return (row?.version ?? 0) + 1;
  }

  end(name: string, nowMs: number): void {
    this.#insert(name, this.nextVersion(name), ENDED, nowMs);
  }

  insert({ name, version, policy }: PolicyVersion, nowMs: number): void {
    this.#insert(name, version, JSON.stringify({ ...policy, format: FORMAT }), nowMs);
  }

  #insert(name: string, version: number, body: string, nowMs: number): void {
    this.forget();
    this.#db.run(
      "INSERT INTO policies (name, version, body, created_at_ms) VALUES (?, ?, ?, ?)",
      name,
      version,
      body,
      nowMs,
    );
  }

  /**
   * When the first version is to go; null: none is. A version that verdicts may name goes with the
   * purge of those.
   *
   * @param oldestVerdictMs when the oldest verdict was made; null: there is none
   */
  purgeDueMs(oldestVerdictMs: number | null): number | null {
    const at = (condition: string, ...values: string[]): number | null =>
      this.#db.run<{ at: number | null }>(
        `SELECT MIN(created_at_ms) AS at FROM policies WHERE ${condition}`,
        ...values,
      )[0]?.at ?? null;
    const followedMs = at(`EXISTS (SELECT 1 FROM policies AS old
      WHERE old.name = policies.name AND old.version < policies.version)`);
    const endedMs = at(
      `body = ? AND NOT EXISTS (SELECT 1 FROM policies AS other
        WHERE other.name = policies.name AND other.version <> policies.version)`,
      ENDED,
    );
    const dueMs = (followedMs ?? Infinity) + FOLLOWED_MS;
    const isNamed = oldestVerdictMs !== null && oldestVerdictMs < dueMs;
    const due = [isNamed ? Infinity : dueMs, (endedMs ?? Infinity) + FOLLOWED_MS + REMEMBERED_MS];
    const firstMs = Math.min(...due);
    return firstMs === Infinity ? null : firstMs + 1;
  }

  /**
   * Old versions that no verdict names any more. The latest of each name stays, and so does what
   * was followed after `followedBeforeMs`: a call in progress may be about to name it. That a policy was
   * ended is remembered for a month more: what an isolate still knows of it must be no later one's.
   */
  purge(followedBeforeMs: number): void {
    this.#db.run(
      `DELETE FROM policies WHERE
        EXISTS (SELECT 1 FROM policies AS next WHERE next.name = policies.name
          AND next.version > policies.version AND next.created_at_ms < ?)
        ${this.#verdicts.isThere ? UNNAMED : ""}`,
      followedBeforeMs,
    );
    this.#db.run(
      `DELETE FROM policies WHERE body = ? AND created_at_ms < ? AND NOT EXISTS (
        SELECT 1 FROM policies AS other
          WHERE other.name = policies.name AND other.version <> policies.version)`,
      ENDED,
      followedBeforeMs - REMEMBERED_MS,
    );
  }
}

const UNNAMED = `AND NOT EXISTS (SELECT 1 FROM verdicts WHERE policy_name = policies.name
  AND policy_version = policies.version)`;

/** Since terms say how they match; a policy of before has none, and keeps the way of then. */
const FORMAT = 2;

type StoredPolicy = Omit<Policy, "routing"> & {
  readonly routing?: Policy["routing"];
  readonly format?: number;
};

function toPolicy({ name, version, body }: PolicyRow): PolicyVersion {
  const { format, ...stored } = JSON.parse(body) as StoredPolicy;
  return {
    name,
    version,
    policy: {
      // A policy that was put before there was a table has the default one.
      routing: DEFAULT_ROUTING,
      ...stored,
      ...(format === undefined && { matching: "plain" as const }),
    },
  };
}
