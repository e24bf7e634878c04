import type { Mutation } from "../mutation.ts";

/** The border: what comes in from callers and what goes out to them. */
export const BORDER: readonly Mutation[] = [
  {
    what: "a formula reaches a spreadsheet",
    file: "src/http/csv.ts",
    from: "FORMULA.test(plain) && !PLAIN_NUMBER.test(plain)",
    to: `plain.startsWith("=")`,
    tests: ["test/http/csv.test.ts"],
  },
  {
    what: "half a surrogate pair is accepted",
    file: "src/http/well-formed.ts",
    from: `if (typeof value === "string") return value.toWellFormed();`,
    to: `if (typeof value === "string") return value;`,
    tests: ["test/http/well-formed.test.ts"],
  },
  {
    what: "a body's claim is not released",
    file: "src/io/body-budget.ts",
    from: "    this.#set(claim, 0);\n    this.#held.delete(claim);",
    to: "    this.#held.delete(claim);",
    tests: ["test/io/body-budget.test.ts"],
  },
  {
    what: "null is a value on the drop-in surfaces",
    file: "src/api/drop-in-body.ts",
    from: "return is === null ? [] : [[name, withoutNulls(is, namesWithin(name, names))]];",
    to: "return [[name, withoutNulls(is, namesWithin(name, names))]];",
    tests: ["test/api/drop-in-body.test.ts"],
  },
  {
    what: "a log line holds the query",
    file: "src/http/request-log.ts",
    from: "    route,\n    status",
    to: "    route: request.url,\n    status",
    tests: ["test/http/request-log.test.ts"],
  },
  {
    what: "a packed body becomes large without being allowed",
    file: "src/http/packed-body.ts",
    from: "const refusal = most > LARGE_BODY_BYTES ? await mayReadOn() : null;",
    to: "const refusal = null;",
    tests: ["test/http/packed-body.test.ts"],
  },
  {
    what: "token ids are decoded for a model of another vocabulary",
    file: "src/api/openai/token-ids.ts",
    from: "|| hasKnownTokens(model)",
    to: "|| true",
    tests: ["test/routes/token-ids.test.ts"],
  },
  {
    what: "log-probabilities stand beside a guarded answer",
    file: "src/generation/chat-guard.ts",
    from: `guard === null || guard.modes.output === "off" || !asksLogprobs(inference())`,
    to: "true",
    tests: ["test/routes/logprobs.test.ts"],
  },
];
