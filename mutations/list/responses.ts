import type { Mutation } from "../mutation.ts";

/** Kept responses and the conversations that they form. */
export const RESPONSES: readonly Mutation[] = [
  {
    what: "any number of histories is read in a minute",
    file: "durable-objects/tenant/responses/responses.ts",
    from: "= takeRequest(tx, { route: ROUTE, requestId })",
    to: "= null as RateFailure | null",
    tests: ["test/routes/responses.test.ts"],
  },
  {
    what: "an erased person's responses stay",
    file: "durable-objects/tenant/responses/responses.ts",
    from: "erase: ({ nowMs }, { id }) => responses.delete(id, nowMs + LATE_WRITES_MS),",
    to: "erase: () => undefined,",
    tests: ["test/durable-objects/responses.test.ts"],
  },
  {
    what: "the file of an erased person's response stays",
    file: "durable-objects/tenant/responses/responses.ts",
    from: `files: ({ id }) => [{ kind: "response", subject: id }],`,
    to: "files: () => [],",
    tests: ["test/durable-objects/responses.test.ts"],
  },
  {
    what: "a file that is written after its deletion stays",
    file: "durable-objects/tenant/responses/responses.ts",
    from: "const ids = [...expired, ...responses.listDueFiles(nowMs, MOST_ERASED)]",
    to: "const ids = [...expired]",
    tests: ["test/durable-objects/responses.test.ts"],
  },
  {
    what: "a response is found after its time",
    file: "durable-objects/tenant/responses/responses.ts",
    from: "keptMs(profile) === 0 ? Number.MAX_SAFE_INTEGER : nowMs - keptMs(profile);",
    to: "keptMs(profile) === 0 ? Number.MAX_SAFE_INTEGER : 0;",
    tests: ["test/durable-objects/responses.test.ts"],
  },
  {
    what: "an item is in the conversation as often as a request refers to it",
    file: "src/routes/response-turn.ts",
    from: "    known.add(item.id);\n",
    to: "",
    tests: ["test/routes/responses.test.ts"],
  },
  {
    what: "a response that continues one of a person is without the person",
    file: "src/routes/responses.ts",
    from: "      userId: turn.userId,\n",
    to: "",
    tests: ["test/routes/responses.test.ts"],
  },
  {
    what: "a person continues another person's response",
    file: "durable-objects/tenant/responses/responses.ts",
    from: "  if (otherPersons.length > 0) return OTHER_PERSON;\n",
    to: "",
    tests: ["test/durable-objects/responses.test.ts", "test/routes/responses.test.ts"],
  },
  {
    what: "a history is read without room in memory",
    file: "src/routes/response-turn.ts",
    from: "  if (!(await call.moreRoom(found.bytes * FILE_WEIGHT))) return NO_ROOM;\n",
    to: "",
    tests: ["test/routes/responses.test.ts"],
  },
  {
    what: "a conversation with a gap is continued",
    file: "durable-objects/tenant/responses/responses.ts",
    from: `    if (found === null) return { kind: "missing_response", id };
    chain.unshift(found);`,
    to: `    if (found === null) break;
    chain.unshift(found);`,
    tests: ["test/durable-objects/responses.test.ts", "test/routes/responses.test.ts"],
  },
  {
    what: "a history is not bounded in bytes",
    file: "durable-objects/tenant/responses/responses.ts",
    from: "if (bytes > MOST_HISTORY_BYTES) return TOO_LARGE;",
    to: "",
    tests: ["test/durable-objects/responses.test.ts"],
  },
  {
    what: "an item that is not kept is left out of a conversation",
    file: "src/routes/response-turn.ts",
    from: "if (item === undefined) return missingItem(one.at);",
    to: "if (item === undefined) continue;",
    tests: ["test/routes/responses.test.ts"],
  },
  {
    what: "a response that was not kept says that it is",
    file: "src/routes/responses.ts",
    from: "return isKept ? response : { ...response, store: false };",
    to: "return response;",
    tests: ["test/routes/responses.test.ts"],
  },
];
