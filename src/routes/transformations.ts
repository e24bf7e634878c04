import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import {
  toTransformations,
  TransformationsOutput,
  TransformationsQuery,
} from "../api/native/picture-variant.ts";
import { readTenant, TENANT_READ } from "../edge/bindings.ts";
import { rangeOf } from "./usage-range.ts";

export const listTransformations = defineRoute({
  method: "GET",
  path: "/v1/transformations",
  mirror: "/admin/tenants/:tenant/transformations",
  summary: "Transformations of pictures by day",
  description:
    "Pictures that were made at another size or in another format. The account is billed for each of them; one that was made before is given from the bucket and is not counted again. Days are kept for 400 days.",
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  query: TransformationsQuery,
  reply: { status: 200, schema: TransformationsOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const range = rangeOf({ ...call.query, group_by: [] }, Date.now());
    if (range.kind !== "range") return range;
    const { from, to } = range;
    const read = await readTenant(call, (tenant, caller) =>
      tenant.listTransformations(caller, { from, to }),
    );
    return read.kind === "transformations" ? ok(toTransformations(read.days)) : read;
  },
});
