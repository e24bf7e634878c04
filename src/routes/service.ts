import * as v from "valibot";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";

export const VERSION = "0.1.0";

export const getHealth = defineRoute({
  method: "GET",
  path: "/healthz",
  summary: "Whether the gateway answers",
  description: "Without a key. `configured` is false while secrets are missing: all else is 503.",
  surface: "native",
  auth: { kind: "none", evenMisconfigured: true },
  reply: {
    status: 200,
    schema: v.object({ status: v.literal("ok"), configured: v.boolean(), version: v.string() }),
  },
  failures: [],
  handle: async (call) => ok({ status: "ok", configured: call.config !== null, version: VERSION }),
});
