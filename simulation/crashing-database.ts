import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Database, SqlValue } from "../durable-objects/database.ts";

// The storage of an object over an in-memory SQLite that crashes when it is told to: before a
// commit, so that nothing of a transaction is kept, or right after it, so that all of it is kept
// and nobody hears of it. Or a commit fails and the process lives on, with what it has in memory.

export const CRASHES = ["before_commit", "after_commit", "commit_fails"] as const;
export type Crash = (typeof CRASHES)[number];

/** Thrown out of a transaction. But for `commit_fails` the process is gone, with all its memory. */
export class Crashed extends Error {
  readonly when: Crash;

  constructor(when: Crash) {
    super(when);
    this.when = when;
  }
}

export class CrashingDatabase implements Database {
  readonly #sqlite = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  #crash: Crash | null = null;
  #version = 0;

  /** How the next transaction crashes; `none`: it does not. */
  crashNext(when: Crash | "none"): void {
    this.#crash = when === "none" ? null : when;
  }

  /** Another number whenever a row may be another one. */
  get version(): number {
    return this.#version;
  }

  run<Row extends Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[] {
    let prepared = this.#statements.get(statement);
    if (prepared === undefined) {
      prepared = this.#sqlite.prepare(statement);
      this.#statements.set(statement, prepared);
    }
    if (!statement.startsWith("SELECT")) this.#version += 1;
    return prepared.all(...(values as (string | number | null)[])) as Row[];
  }

  transaction<Result>(work: () => Result): Result {
    const crash = this.#crash;
    this.#crash = null;
    this.#sqlite.exec("SAVEPOINT step");
    try {
      const result = work();
      if (crash === "before_commit" || crash === "commit_fails") throw new Crashed(crash);
      this.#sqlite.exec("RELEASE step");
      if (crash === "after_commit") throw new Crashed(crash);
      return result;
    } catch (error) {
      this.#version += 1;
      const kept = error instanceof Crashed && error.when === "after_commit";
      if (!kept) this.#sqlite.exec("ROLLBACK TO step; RELEASE step");
      throw error;
    }
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  size(): number {
    return 0;
  }

  /** Everything until `forgetHistory` can be undone, so that a history costs no new schema. */
  beginHistory(): void {
    this.#version += 1;
    this.#sqlite.exec("BEGIN");
  }

  forgetHistory(): void {
    this.#version += 1;
    this.#sqlite.exec("ROLLBACK");
  }
}
