import * as v from "valibot";
import {
  NOTHING_REPLAYED,
  type PolicyReplay,
  together,
} from "../domain/moderation/policy-replay.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { policyName } from "../api/field.ts";
import { policyOf } from "../api/native/policy.ts";
import { ReplayInput, replayedTime, ReplayOutput, toReplay } from "../api/native/policy-replay.ts";
import { LIMIT_BYTES } from "./policies.ts";
import { readTenant, type TenantAnswer, TENANT_READ } from "../edge/bindings.ts";

/** Verdicts of one request; what is beyond them is for the next one. */
const MOST_VERDICTS = 5000;

/** Steps of the tenant's object, where most verdicts are another policy's. */
const MOST_PAGES = 40;

export const replayPolicy = defineRoute({
  method: "POST",
  path: "/v1/policies/:name/replay",
  mirror: "/admin/tenants/:tenant/policies/:name/replay",
  summary: "What a proposed policy would have decided, from stored scores",
  description:
    "Asks no engine and costs nothing. At most some 5,000 verdicts, newest first: go on with `cursor` while `has_more`, and add up.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ name: policyName }),
  body: { schema: ReplayInput, limitBytes: LIMIT_BYTES, optional: true },
  reply: { status: 200, schema: ReplayOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { body, config } = call;
    const { name } = call.params;
    const proposed = body.policy === undefined ? null : policyOf(body.policy, config.inference);
    const time = replayedTime(body, Date.now());
    const replayed = await replayedPages(body.cursor ?? null, (before) =>
      readTenant(call, (tenant, caller) =>
        tenant.replayPolicy(caller, { name, proposed, ...time, before }),
      ),
    );
    return replayed.kind === "replayed" ? ok(toReplay(name, time, replayed)) : replayed;
  },
});

/** Page after page, each a step of the tenant's object, so that its calls go on in between. */
async function replayedPages<Failed extends { readonly kind: string }>(
  cursor: string | null,
  read: (before: string | null) => Promise<TenantAnswer<"replayPolicy", "replayed"> | Failed>,
) {
  let sofar: PolicyReplay = NOTHING_REPLAYED;
  let before = cursor;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const replayed = await read(before);
    if (!("replay" in replayed)) return replayed;
    sofar = together(sofar, replayed.replay);
    before = replayed.next;
    if (before === null || sofar.verdicts + sofar.unscorable.verdicts >= MOST_VERDICTS) break;
  }
  return { kind: "replayed" as const, replay: sofar, next: before };
}
