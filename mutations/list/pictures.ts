import type { Mutation } from "../mutation.ts";

/** Links to pictures and their variants. */
export const PICTURES: readonly Mutation[] = [
  {
    what: "a link lasts for ever",
    file: "src/http/signed-link.ts",
    from: "leftS > 0 && leftS <= LINK_LIFETIME_S + CLOCK_SKEW_S",
    to: "leftS <= LINK_LIFETIME_S + CLOCK_SKEW_S",
    tests: ["test/http/signed-link.test.ts"],
  },
  {
    what: "a link is valid for other files",
    file: "src/http/signed-link.ts",
    from: "JSON.stringify([tenant, generation, path, expiresAtS, ...rest])",
    to: "JSON.stringify([tenant, generation, expiresAtS, ...rest])",
    tests: ["test/http/signed-link.test.ts"],
  },
  {
    what: "a link is valid for every size of its picture",
    file: "src/http/signed-link.ts",
    from: "const rest = parameters.length === 0 ? [] : [parameters];",
    to: "const rest: string[][][] = parameters.length === 0 ? [] : [];",
    tests: ["test/http/signed-link.test.ts", "test/routes/picture-variants.test.ts"],
  },
  {
    what: "a variant that is being made is made by everybody who asks",
    file: "src/domain/generation/picture-variant.ts",
    from: `if (known.state === "making") return { kind: "being_made" };`,
    to: "",
    tests: ["test/domain/generation/picture-variant.test.ts"],
  },
  {
    what: "new variants, which are billed to the account, are in no rate",
    file: "durable-objects/tenant/picture-variants/picture-variants.ts",
    from: "if (refused !== null) return refused;",
    to: "",
    tests: ["test/routes/picture-variants.test.ts"],
  },
  {
    what: "a key that only reviews has variants made",
    file: "durable-objects/tenant/picture-variants/picture-variants.ts",
    from: `const MAKERS: readonly Role[] = ["call"];`,
    to: `const MAKERS: readonly Role[] = ["call", "review"];`,
    tests: ["test/routes/picture-variants.test.ts"],
  },
  {
    what: "an isolate transforms any number of pictures at once",
    file: "src/edge/picture-variants.ts",
    from: "most: 2,",
    to: "most: Infinity,",
    tests: ["test/routes/picture-variants.test.ts"],
  },
  {
    what: "an erasure does not wait for a variant that is being made",
    file: "durable-objects/tenant/privacy/erasures.ts",
    from: `tx.stores.variants.isMaking(file.subject, tx.nowMs)`,
    to: `tx.stores.variants.isMaking(file.subject, Infinity)`,
    tests: ["test/routes/picture-variants.test.ts"],
  },
];
