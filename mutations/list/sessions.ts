import type { Mutation } from "../mutation.ts";

/** Chat sessions. */
export const SESSIONS: readonly Mutation[] = [
  {
    what: "messages of a session are answered at once",
    file: "durable-objects/session/turn-queue.ts",
    from: "if (this.#line.length === 1) {",
    to: "if (this.#line.length >= 1) {",
    tests: ["test/durable-objects/turn-queue.test.ts", "test/routes/sessions.test.ts"],
  },
  {
    what: "any number of messages waits in a session",
    file: "durable-objects/session/turn-queue.ts",
    from: "if (this.#line.length >= this.#most) return null;",
    to: "",
    tests: ["test/durable-objects/turn-queue.test.ts"],
  },
  {
    what: "a key uses the sessions of others",
    file: "durable-objects/tenant/sessions/sessions.ts",
    from: "return keys.lineageOf(tx.keyId) === session.lineage ? session : null;",
    to: "return session;",
    tests: ["test/routes/sessions.test.ts"],
  },
  {
    what: "a withheld message stays in the history",
    file: "src/sessions/answer-message.ts",
    from: `if (output === null || output.finishReason === "content_filter") return false;`,
    to: "if (output === null) return false;",
    tests: ["test/routes/sessions.test.ts"],
  },
  {
    what: "a stream that was cut is kept",
    file: "src/sessions/answer-message.ts",
    from: "} else if (event.complete) {",
    to: "} else {",
    tests: ["test/routes/sessions.test.ts"],
  },
  {
    what: "a message is kept in a session that is gone",
    file: "durable-objects/session/session.ts",
    from: "if (session === null) return false;",
    to: "if (session === null) migrate(this.#db, SESSION_MIGRATIONS);",
    tests: ["test/durable-objects/session-life.test.ts"],
  },
  {
    what: "a tool call stands without its result",
    file: "src/domain/session/history.ts",
    from: `if (open.length > 0) return { kind: "wrong", at, detail: unanswered(open) };`,
    to: "",
    tests: ["test/domain/session/history.test.ts", "test/routes/sessions.test.ts"],
  },
  {
    what: "an erasure forgets the objects of a person's sessions",
    file: "durable-objects/tenant/sessions/sessions.ts",
    from: `files: ({ session }) => [{ kind: "session", subject: session.id }],`,
    to: "",
    tests: ["test/routes/personal.test.ts"],
  },
  {
    what: "a tenant's sessions outlive it",
    file: "durable-objects/tenant/sessions/sessions.ts",
    from: "leave: () => eraseAll(context),",
    to: "",
    tests: ["test/durable-objects/session-life.test.ts"],
  },
  {
    what: "a session forgets itself before it is struck off the list",
    file: "durable-objects/session/session.ts",
    from: "await this.#tenant(session.tenant).endSession(session.id, session.listed);",
    to: "await this.erase();",
    tests: ["test/durable-objects/session-life.test.ts"],
  },
  {
    what: "one key takes all sessions of its tenant",
    file: "durable-objects/tenant/sessions/sessions.ts",
    from: "sessions.countOf(lineage) >= MAX_SESSIONS_OF_KEY",
    to: "sessions.countOf(lineage) >= Infinity",
    tests: ["test/durable-objects/session-limits.test.ts"],
  },
  {
    what: "the platform reads what a tenant wrote into its sessions",
    file: "src/routes/sessions.ts",
    from: "ok(toSessionState(read))",
    to: "ok(toSession(read))",
    tests: ["test/routes/platform-holdings.test.ts"],
  },
];
