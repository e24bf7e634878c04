import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Database, SqlValue } from "../durable-objects/database.ts";

// The storage of an object over an in-memory SQLite that crashes on demand: before a commit, so that
// nothing of the transaction is kept, or right after it, so that all of it is kept but nobody gets an
// answer. Or a commit fails and the process lives on with its memory.

export const CRASHES = ["before_commit", "after_commit", "commit_fails"] as const;
export type Crash = (typeof CRASHES)[number];

/** Thrown out of a transaction. Except for `commit_fails`, the process is gone with all its memory. */
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

  /** Sets how the next transaction crashes; `none`: it does not. */
  crashNext(when: Crash | "none"): void {
    this.#crash = when === "none" ? null : when;
  }

  /** Changes whenever a row may have changed. */
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

  /** Begins a history. `forgetHistory` undoes all of it, so that the next one needs no new schema. */
  beginHistory(): void {
    this.#version += 1;
    this.#sqlite.exec("BEGIN");
  }

  forgetHistory(): void {
    this.#version += 1;
    this.#sqlite.exec("ROLLBACK");
  }
}
