import type { Mutation } from "../mutation.ts";

/** Storage, erasure, reports and the console. */
export const STORAGE: readonly Mutation[] = [
  {
    what: "a failed commit fails the calls beside it",
    file: "durable-objects/database.ts",
    from: "if (batch.length > 1) return batch.flatMap((waiting) => this.#attempt([waiting]));",
    to: "",
    tests: ["test/durable-objects/database.test.ts"],
  },
  {
    what: "an old row of a report overwrites a new one",
    file: "src/reports/reports-store.ts",
    from: "WHERE excluded.sequence > ${name}.sequence",
    to: "WHERE excluded.sequence <> ${name}.sequence",
    tests: ["test/reports"],
  },
  {
    what: "a late row leaves the sums of its hour as they are",
    file: "src/reports/reports-store.ts",
    from: ", markHours(database, [...hours])",
    to: "",
    tests: ["test/reports/closed-hours.test.ts"],
  },
  {
    what: "memory keeps the changes of a transaction that was rolled back",
    file: "durable-objects/tenant/transactions.ts",
    from: "forget?.();",
    to: "void forget;",
    tests: ["test/durable-objects/a-feature.test.ts"],
  },
  {
    what: "a feature's rows are never purged",
    file: "durable-objects/tenant/feature.ts",
    from: "if (purge?.(tx, isMore) === true) isMore = true;",
    to: "void purge;",
    tests: ["test/durable-objects/a-feature.test.ts"],
  },
  {
    what: "an erased person stays in the journal",
    file: "durable-objects/tenant/ledger/journal.ts",
    from: "          persons.forgetPersonOfLine(line.callId);\n",
    to: "",
    tests: ["test/durable-objects/erasures.test.ts", "test/durable-objects/people.test.ts"],
  },
  {
    what: "an erased person's line keeps the caller's label",
    file: "durable-objects/tenant/privacy/person-store.ts",
    from: "SET user_id = NULL, context = NULL, document_id",
    to: "SET user_id = NULL, document_id",
    tests: ["test/durable-objects/call-context.test.ts"],
  },
  {
    what: "an erased person's line keeps the caller's id of a document",
    file: "durable-objects/tenant/privacy/person-store.ts",
    from: "context = NULL, document_id = NULL WHERE",
    to: "context = NULL WHERE",
    tests: ["test/durable-objects/call-context.test.ts"],
  },
  {
    what: "a day's rows of users and keys are unbounded",
    file: "durable-objects/tenant/usage-splits/usage-splits.ts",
    from: "rows < most ? own",
    to: "true ? own",
    tests: ["test/durable-objects/usage-splits.test.ts"],
  },
  {
    what: "the console rounds small amounts to 0",
    file: "console/src/format.ts",
    from: "Math.max(2, Math.min(10, 2 - Math.floor(Math.log10(Math.abs(n)))))",
    to: "2",
    tests: ["test/console"],
  },
  {
    what: "a released migration is edited",
    file: "durable-objects/tenant/ledger/ledger-schema.ts",
    from: "CHECK (posted = quota + granted + overage)",
    to: "CHECK (posted >= 0)",
    tests: ["test/tidy.test.ts"],
  },
  {
    what: "the alarm does not see that rows have changed",
    file: "durable-objects/tenant/feature.ts",
    from: "if (known?.writes === writes && known.version === version)",
    to: "if (known !== undefined)",
    tests: ["test/durable-objects/alarm-due.test.ts"],
  },
];
