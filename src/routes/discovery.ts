import * as v from "valibot";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { discoveryDocument } from "../api/perspective/discovery.ts";
import { googleQuery } from "../api/perspective/comment.ts";

/** Google's clients read it without a key, pages too. */
export const getDiscovery = defineRoute({
  method: "GET",
  path: "/$discovery/rest",
  summary: "Perspective API: the discovery document, for Google's generated clients",
  surface: "perspective",
  cors: "any",
  auth: { kind: "none" },
  query: v.strictObject({
    ...googleQuery.entries,
    version: v.optional(
      v.pipe(v.string(), v.maxLength(64), v.description("v1alpha1.")),
      "v1alpha1",
    ),
  }),
  reply: { status: 200, schema: v.record(v.string(), v.unknown()) },
  failures: ["not_found"],
  handle: async ({ query, request }) =>
    query.version === "v1alpha1"
      ? ok(discoveryDocument(new URL(request.url).origin))
      : { kind: "not_found", what: "version" },
});
