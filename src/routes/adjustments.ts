import * as v from "valibot";
import { toAdjustmentLine } from "../domain/ledger/journal-object.ts";
import { fromNeurons } from "../domain/ledger/micro-neurons.ts";
import { acted, ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { AdjustmentInput } from "../api/native/adjustment.ts";
import { listById, listOf, pageAfterId } from "../api/field.ts";
import { JournalLineOutput } from "../api/native/journal-line.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import { KEY_USED, readTenant, writeTenant, TENANT_READ } from "../edge/bindings.ts";
import { TENANT_PARAMS } from "./tenants.ts";

// What the platform gives back of a line's charge. The tenant sees it in its journal.

const LIMIT_BYTES = 8192;

export const createAdjustment = defineRoute({
  method: "POST",
  path: "/admin/tenants/:tenant/adjustments",
  summary: "Give back what a journal line charged, or a part of it",
  description:
    "Made as a journal line of its own with negative amounts, in the day of that line: overage is given back first, then grants, then the quota.",
  surface: "native",
  auth: { kind: "platform" },
  params: TENANT_PARAMS,
  body: { schema: AdjustmentInput, limitBytes: LIMIT_BYTES },
  reply: { status: 201, schema: JournalLineOutput },
  failures: [...TENANT_READ, ...KEY_USED, "over_limit"],
  audit: "act",
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const { line_id: lineId, neurons, reason } = call.body;
    const action = "POST /admin/tenants/{tenant}/adjustments";
    const request = {
      route: action,
      id: newId("jnl"),
      requestId: call.requestId,
      lineId,
      amount: neurons === undefined ? null : fromNeurons(neurons),
      reason,
      idempotency: read.idempotency,
    };
    const made = await writeTenant(call, (tenant, caller) => tenant.adjustLine(caller, request));
    if (made.kind !== "adjustment") return made;
    const line = toAdjustmentLine(made.adjustment);
    const { id, adjusts, micro_neurons } = line;
    const detail = { adjustment: id, adjusts, micro_neurons, reason: line.reason };
    return acted(
      detail,
      ok(line, { ...(made.repeated && { headers: { "idempotency-replayed": "true" } }) }),
    );
  },
});

export const listAdjustments = defineRoute({
  method: "GET",
  path: "/admin/tenants/:tenant/adjustments",
  summary: "The adjustments, newest first",
  surface: "native",
  auth: { kind: "platform" },
  params: TENANT_PARAMS,
  query: v.strictObject(pageAfterId("jnl")),
  reply: { status: 200, schema: listOf(JournalLineOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor: before = null, limit } = call.query;
    const query = { before, fromMs: null, toMs: null, limit };
    const page = await readTenant(call, (tenant, caller) => tenant.listAdjustments(caller, query));
    if (page.kind !== "page") return page;
    return ok(listById(page, toAdjustmentLine));
  },
});
