import type { Mutation } from "../mutation.ts";

/** Documents, their vectors and the search in them. */
export const DOCUMENTS: readonly Mutation[] = [
  {
    what: "a document is embedded, and charged, where its vectors have no room",
    file: "durable-objects/tenant/search/vector-sets.ts",
    from: "toWrite !== undefined && set?.revision !== toWrite.revision",
    to: "false",
    tests: ["test/durable-objects/vector-sets.test.ts"],
  },
  {
    what: "a file is converted though its id is taken or its model may not run",
    file: "durable-objects/tenant/calls/may-read.ts",
    from: "if (unfit !== null) return unfit;",
    to: "",
    tests: ["test/routes/document-files.test.ts"],
  },
  {
    what: "a document's hold leaves out the schema of the answer",
    file: "src/domain/documents/measure-analysis.ts",
    from: "    jsonTokens(formatOf(question)),",
    to: "    0,",
    tests: ["test/domain/documents/measure-analysis.test.ts"],
  },
  {
    what: "a repeated request embeds its text under a later document of the same id",
    file: "src/routes/document-embedding.ts",
    from: "just.file !== document.file",
    to: "false",
    tests: ["test/routes/document-search.test.ts"],
  },
  {
    what: "a search shows vectors that are being removed",
    file: "durable-objects/tenant/search/vector-sets.ts",
    from: 'return set?.state === "ready" ? [set] : [];',
    to: "return set === null ? [] : [set];",
    tests: ["test/durable-objects/vector-sets.test.ts"],
  },
  {
    what: "vectors whose removal failed are forgotten",
    file: "durable-objects/tenant/search/remove-vectors.ts",
    from: "        return [];",
    to: "        return [set.key];",
    tests: ["test/durable-objects/vector-sets.test.ts"],
  },
  {
    what: "a document that is deleted leaves its vectors",
    file: "durable-objects/tenant/documents/documents.ts",
    from: "  releaseVectors(tx, id);\n",
    to: "",
    tests: ["test/durable-objects/vector-sets.test.ts"],
  },
  {
    what: "tenants share a shard",
    file: "src/vectors/shard-index.ts",
    from: "`${tenant}/${generation}/${number}`",
    to: "`${tenant.length}/${generation}/${number}`",
    tests: ["test/vectors/vector-shard.test.ts"],
  },
  {
    what: "tenants share the field of Vectorize that keeps them apart",
    file: "src/vectors/vectorize-index.ts",
    from: "hashed(JSON.stringify([tenant, generation, model, dimensions]))",
    to: "hashed(JSON.stringify([generation, model, dimensions]) + tenant.slice(0, 0))",
    tests: ["test/vectors/vectorize-index.test.ts"],
  },
  {
    what: "a search trusts the codes of vectors",
    file: "src/domain/search/code-table.ts",
    from: "const reach = (scores[at] ?? 0) + (this.#residuals[slot] ?? 0);",
    to: "const reach = (scores[at] ?? 0) - (this.#residuals[slot] ?? 0);",
    tests: ["test/domain/search/code-table.test.ts"],
  },
  {
    what: "an answer may say a number that no passage has",
    file: "src/domain/search/cited-answer.ts",
    from: "every((number) => numbers.has(number))",
    to: 'every((number) => number !== "")',
    tests: ["test/domain/search/cited-answer.test.ts"],
  },
];
