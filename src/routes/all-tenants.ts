import * as v from "valibot";
import { acted, ok } from "../http/reply.ts";
import { TENANT_ID } from "../http/authenticate.ts";
import { defineRoute } from "../http/route.ts";
import { ChecksOutput, PassOutput, toChecks, toPass } from "../api/native/check.ts";
import { pageAfter } from "../api/field.ts";
import { readAccount, writeAccount, UNAVAILABLE } from "../edge/bindings.ts";

// What must always be zero, over all tenants. The `Account` object's alarm asks them, some at a time: no
// request waits for them.

const auth = { kind: "platform" } as const;

export const listInvariants = defineRoute({
  method: "GET",
  path: "/admin/invariants",
  summary: "Tenants in which something is not zero that must be, and how far the counting is",
  description:
    "As passes over all tenants found them; `POST` begins one. A tenant that did not answer, or of which not everything was looked at, is listed too: what was not counted must not look sound. By tenant id, each as it was when it was asked last.",
  surface: "native",
  auth,
  query: v.strictObject(pageAfter(TENANT_ID)),
  reply: { status: 200, schema: ChecksOutput },
  failures: [],
  handle: async (call) => {
    const { cursor = "", limit } = call.query;
    const found = await readAccount(call.env, (account) => account.readChecks(cursor, limit));
    return "kind" in found ? found : ok(toChecks(found));
  },
});

export const startChecks = defineRoute({
  method: "POST",
  path: "/admin/invariants",
  summary: "Begin to count what must always be zero, for every tenant",
  description:
    "In the background, a thousand tenants a minute at most. It wakes each tenant's object and reads two days of its journal. While a pass runs, the reply is that pass.",
  surface: "native",
  auth,
  reply: { status: 202, schema: PassOutput },
  failures: [],
  audit: "act",
  handle: async (call) => {
    const found = await writeAccount(call.env, (account) => account.startChecks(0));
    if ("kind" in found) return found;
    const { running } = found;
    // It has just begun, or runs.
    if (running === null) return UNAVAILABLE;
    return acted({ tenants: running.tenants }, ok(toPass(running)));
  },
});
