import type { Mutation } from "../mutation.ts";

/** Access: keys, roles and tokens. */
export const ACCESS: readonly Mutation[] = [
  {
    what: "a forged key's checksum is not compared",
    file: "src/http/authenticate.ts",
    from: "return crypto.subtle.timingSafeEqual(utf8(expected), utf8(given));",
    to: "return expected.length === given.length;",
    tests: ["test/http/authenticate.test.ts"],
  },
  {
    what: "every admin token is accepted",
    file: "src/http/authenticate.ts",
    from: `return valid ? { kind: "platform", actor: "admin_token" } : INVALID_KEY;`,
    to: `return valid || token.length > 20 ? { kind: "platform", actor: "admin_token" } : INVALID_KEY;`,
    tests: ["test/routes/access.test.ts"],
  },
  {
    what: "a key's role is not checked",
    file: "durable-objects/tenant/transactions.ts",
    from: `if (key.role !== "manage" && !caller.roles.includes(key.role)) {`,
    to: `if (key.role === "score" && !caller.roles.includes(key.role)) {`,
    tests: ["test/routes/access.test.ts"],
  },
  {
    what: "a suspended tenant is served",
    file: "durable-objects/tenant/transactions.ts",
    from: "if (tx.profile.settings.suspended)",
    to: "if (tx.profile.settings.suspended && caller.roles.length > 9)",
    tests: ["test/durable-objects", "test/routes"],
  },
  {
    what: "an ended key is accepted",
    file: "durable-objects/tenant/keys/key-store.ts",
    from: "FROM keys WHERE secret_hash = ? AND ended = 0\n",
    to: "FROM keys WHERE secret_hash = ? AND ended < 2\n",
    tests: ["test/durable-objects/keys-and-policies.test.ts"],
  },
  {
    what: "a key of any role may be in an address",
    file: "src/http/authenticate.ts",
    from: "const scoreOnly = sent.inQuery || isOfPage;",
    to: "const scoreOnly = isOfPage;",
    tests: ["test/routes/perspective.test.ts"],
  },
  {
    what: "an act of the platform succeeds without a record",
    file: "src/http/router.ts",
    from: `return isRecorded ? reply() : { kind: "unavailable" };`,
    to: "return isRecorded ? reply() : reply();",
    tests: ["test/http/router.test.ts"],
  },
];
