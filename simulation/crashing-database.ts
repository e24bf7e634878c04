import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Database, SqlValue } from "../durable-objects/database.ts";

// The storage of an object over an in-memory SQLite that crashes on demand: before a commit, so that
// nothing of the transaction is kept, or right after it, so that all of it is kept but nobody gets an
// answer. Or a commit fails and the process lives on with its memory.

export const CRASHES = ["before_commit", "after_commit", "commit_fails"] as const;
export type Crash = (typeof CRASHES)[number];

const ABOUT_TABLES = /^SELECT .* FROM sqlite_master\b/;
const CHANGES_TABLES = /^(?:CREATE|ALTER|DROP)\b/;

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
  /** What `sqlite_master` was asked, with the answers: all of them hold until a table comes or goes. */
  readonly #asked = new Map<string, Record<string, SqlValue>[]>();
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
    if (ABOUT_TABLES.test(statement)) {
      const question = JSON.stringify([statement, ...values]);
      const answer = this.#asked.get(question) ?? this.#run(statement, values);
      this.#asked.set(question, answer);
      return answer as Row[];
    }
    if (CHANGES_TABLES.test(statement)) this.#asked.clear();
    if (!statement.startsWith("SELECT")) this.#version += 1;
    return this.#run(statement, values) as Row[];
  }

  #run(statement: string, values: readonly SqlValue[]): Record<string, SqlValue>[] {
    let prepared = this.#statements.get(statement);
    if (prepared === undefined) {
      prepared = this.#sqlite.prepare(statement);
      this.#statements.set(statement, prepared);
    }
    return prepared.all(...(values as (string | number | null)[])) as Record<string, SqlValue>[];
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
      this.#asked.clear();
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
    this.#asked.clear();
    this.#sqlite.exec("ROLLBACK");
  }
}
