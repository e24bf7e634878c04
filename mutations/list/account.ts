import type { Mutation } from "../mutation.ts";

/** The account's object: documents of tenants, its rates, closed days. */
export const ACCOUNT: readonly Mutation[] = [
  {
    what: "an apply replaces a tenant that somebody made after the plan",
    file: "durable-objects/applies/act-slice.ts",
    from: "const ifMatch = expectedVersion(row);",
    to: "const ifMatch = null as never;",
    tests: ["test/routes/state-applies.test.ts"],
  },
  {
    what: "an apply counts its own create as a conflict if its answer was lost",
    file: "durable-objects/applies/act-slice.ts",
    from: "return (await look(deps, row, { settings, isBegun })) ?? conflicting(row);",
    to: "return conflicting(row);",
    tests: ["test/routes/state-applies.test.ts"],
  },
  {
    what: "a change that is in no log counts as done",
    file: "durable-objects/applies/act-slice.ts",
    from: `each.kind === "done" && each.version !== null ? { kind: "later", row: each.row } : each;`,
    to: "each;",
    tests: ["test/routes/state-applies.test.ts"],
  },
  {
    what: "a document replaces a tenant that somebody made after the plan",
    file: "src/routes/apply-state.ts",
    from: "const ifMatch = expectedVersion(plan);",
    to: "const ifMatch = plan.version;",
    tests: ["test/routes/state.test.ts"],
  },
  {
    what: "the account's units leave the minute a second too early",
    file: "src/domain/account/class-rates.ts",
    from: "const BUCKETS_MS = 61_000;",
    to: "const BUCKETS_MS = 60_000;",
    tests: ["test/domain/account"],
  },
  {
    what: "units are given beyond the row that was written for them",
    file: "src/domain/account/rate-bounds.ts",
    from: "const gone = of.forgotten + of.given;",
    to: "const gone = of.given;",
    tests: ["test/domain/account"],
  },
  {
    what: "a permit of an earlier life of the object is counted too early",
    file: "src/domain/account/rate-bounds.ts",
    from: "(period + 1) * PERIOD_S - 1 + lifeS;",
    to: "period * PERIOD_S + lifeS;",
    tests: ["test/domain/account"],
  },
  {
    what: "each tenant may probe a closed day",
    file: "durable-objects/account/pool/day-closing.ts",
    from: "if (probed.allowed) this.#cache.write({ closure: probed.closure });",
    to: "",
    tests: ["test/durable-objects/account-closure.test.ts"],
  },
  {
    what: "tenants that know of a closed day are not notified when a call finds it open",
    file: "durable-objects/account/pool/day-closing.ts",
    from: "if (closure === null) return this.#notices.publish(next, true);",
    to: "if (closure === null) return this.#notices.publish(next, false);",
    tests: ["test/durable-objects/account-notices.test.ts"],
  },
  {
    what: "a tenant that is refused before it heard of a relief is not notified of it",
    file: "durable-objects/account/pool/pool-notices.ts",
    from: "notice: isOwed ? before.notice : notice, isClosed };",
    to: "notice, isClosed };",
    tests: ["test/durable-objects/account-notices.test.ts"],
  },
  {
    what: "a tenant is notified once more by an alarm that did not reach all",
    file: "durable-objects/account/pool/pool-notices.ts",
    from: "else this.#denied.remove(tenant);\n  }\n\n  /** How many",
    to: "}\n\n  /** How many",
    tests: ["test/durable-objects/account-notices.test.ts"],
  },
  {
    what: "a restart forgets, when units are shared, those that were given before it",
    file: "src/domain/account/class-rates.ts",
    from: "const shared = limit - this.#nobodys;",
    to: "const shared = limit;",
    tests: ["test/domain/account"],
  },
];
