import * as v from "valibot";
import { acted, ok } from "../http/reply.ts";
import { TENANT_ID } from "../http/authenticate.ts";
import { defineRoute } from "../http/route.ts";
import { RebuildOutput, toRebuild } from "../api/native/rebuild.ts";
import {
  readAccount,
  readTenant,
  writeAccount,
  writeTenant,
  TENANT_READ,
} from "../edge/bindings.ts";

// The platform's reports of one tenant, made anew from its object: when they are wrong, or gone.

const PARAMS = v.strictObject({
  tenant: v.pipe(v.string(), v.regex(TENANT_ID), v.description("The tenant's id.")),
});

const NO_REPORTS = { kind: "not_found", what: "reports" } as const;

/** A deployment may do without them. */
const hasReports = ({ REPORTS, USAGE }: Partial<Env>): boolean =>
  REPORTS !== undefined && USAGE !== undefined;

export const rebuildReports = defineRoute({
  method: "POST",
  path: "/admin/rebuild/:tenant",
  summary: "Make a tenant's reports anew from its object",
  description:
    "Answers at once and goes on in bounded steps: the tenant's rows in the reports are deleted, then its object's rows are sent; of a deleted tenant its daily totals are written. A repeat while it runs gets the same rebuild.",
  surface: "native",
  auth: { kind: "platform" },
  params: PARAMS,
  reply: { status: 202, schema: RebuildOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    if (!hasReports(call.env)) return NO_REPORTS;
    const { tenant: id } = call.params;
    const lives = await writeAccount(call.env, (account) => account.rebuildEnded(id));
    if (typeof lives !== "number") return lives;
    const started = await writeTenant(call, (tenant, caller) => tenant.startRebuild(caller));
    // Of a deleted tenant there may be something all the same.
    const isGone = started.kind === "not_found" && lives > 0;
    if (started.kind !== "rebuild" && !isGone) return started;
    const standing = started.kind === "rebuild" ? started : null;
    return acted({ ended_lives: lives }, ok(toRebuild(id, standing, lives), { status: 202 }));
  },
});

export const getRebuild = defineRoute({
  method: "GET",
  path: "/admin/rebuild/:tenant",
  summary: "How far a tenant's reports were made anew",
  description: "`ended_lives` are those that still have to be written.",
  surface: "native",
  auth: { kind: "platform" },
  params: PARAMS,
  reply: { status: 200, schema: RebuildOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    if (!hasReports(call.env)) return NO_REPORTS;
    const { tenant: id } = call.params;
    const lives = await readAccount(call.env, (account) => account.unwrittenGenerations(id));
    if (typeof lives !== "number") return lives;
    const read = await readTenant(call, (tenant, caller) => tenant.readRebuild(caller));
    const isGone = read.kind === "not_found" && lives > 0;
    if (read.kind !== "rebuild" && !isGone) return read;
    return ok(toRebuild(id, read.kind === "rebuild" ? read : null, lives));
  },
});
