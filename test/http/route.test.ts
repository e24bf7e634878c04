import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { KeyCaller, MirrorCaller } from "../../src/http/call.ts";
import { ok } from "../../src/http/reply.ts";
import { mountsOf } from "../../src/http/mount.ts";
import { type FailureOf, defineRoute } from "../../src/http/route.ts";
import type { Config } from "../../src/config.ts";

// Mostly compiled rather than run: what a handler is given and may give back.

const facts = { method: "POST", summary: "A toy", surface: "native" } as const;
const key = { kind: "key", roles: ["call"] } as const;
const reply = { status: 200, schema: v.strictObject({ n: v.number() }) };

describe("defineRoute", () => {
  it("types params, query, body and caller", () => {
    const route = defineRoute({
      ...facts,
      path: "/v1/things/:thing/parts/:part",
      auth: key,
      mirror: "/admin/tenants/:tenant/things/:thing/parts/:part",
      query: v.strictObject({ day: v.optional(v.string()) }),
      body: { schema: v.strictObject({ n: v.optional(v.number(), 1) }), limitBytes: 100 },
      reply,
      failures: [],
      handle: async ({ params, query, body, caller, config }) => {
        expectTypeOf(params).toEqualTypeOf<Readonly<Record<"thing" | "part", string>>>();
        expectTypeOf(query).toEqualTypeOf<{ day?: string | undefined }>();
        expectTypeOf(body).toEqualTypeOf<{ n: number }>();
        expectTypeOf(caller).toEqualTypeOf<KeyCaller | MirrorCaller>();
        expectTypeOf(config).toEqualTypeOf<Config>();
        return ok(body);
      },
    });
    expect(mountsOf([route]).map(({ path, auth }) => [path, auth.kind])).toEqual([
      ["/admin/tenants/:tenant/things/:thing/parts/:part", "platform"],
      ["/v1/things/:thing/parts/:part", "key"],
    ]);
  });

  it("takes the failures that were declared, and the runner's own", () => {
    defineRoute({
      ...facts,
      path: "/v1/things",
      auth: key,
      reply,
      failures: ["not_found", "engine_timeout"],
      handle: async ({ requestId }) => {
        if (requestId === "a") return { kind: "not_found", what: "thing" };
        if (requestId === "b") return { kind: "engine_timeout", charged: true };
        if (requestId === "c") return { kind: "invalid_key" };
        return { kind: "unavailable" };
      },
    });
    expectTypeOf<FailureOf<"engine_timeout">["charged"]>().toEqualTypeOf<boolean>();
  });

  it("does not compile with an undeclared failure", () => {
    defineRoute({
      ...facts,
      path: "/v1/things",
      auth: key,
      reply,
      failures: ["not_found"],
      // @ts-expect-error -- tenant_suspended is not declared: that is what this test is for
      handle: async () => ({ kind: "tenant_suspended" }) as const,
    });
    defineRoute({
      ...facts,
      path: "/v1/things",
      auth: key,
      reply,
      failures: ["engine_timeout"],
      // @ts-expect-error -- engine_busy shares its type with engine_timeout, but is not declared
      handle: async () => ({ kind: "engine_busy", charged: false }) as const,
    });
    defineRoute({
      ...facts,
      path: "/v1/things",
      auth: { kind: "none" },
      reply,
      failures: [],
      // @ts-expect-error -- a route without a key has nobody to refuse
      handle: async () => ({ kind: "invalid_key" }) as const,
    });
    expect.assertions(0);
  });

  it("does not compile with another reply or another parameter", () => {
    defineRoute({
      ...facts,
      path: "/v1/things",
      auth: key,
      reply,
      failures: [],
      // @ts-expect-error -- n is a number
      handle: async () => ok({ n: "1" }),
    });
    defineRoute({
      ...facts,
      path: "/v1/things/:id",
      auth: key,
      reply,
      failures: [],
      // @ts-expect-error -- the path has no `name`
      handle: async ({ params }) => ok({ n: params.name.length }),
    });
    expect.assertions(0);
  });
});
