import { limitsObject } from "../domain/ledger/limits.ts";
import { eventQuery, eventReply } from "../api/native/event-stream.ts";
import { raw } from "../http/reply.ts";
import { eventFeed } from "../http/event-feed.ts";
import { newId } from "../http/ids.ts";
import { logError, nameOf } from "../http/request-log.ts";
import { defineRoute } from "../http/route.ts";
import { readTenant, TENANT_READ } from "../edge/bindings.ts";

// The tenant's limits as a live stream.

export const getLive = defineRoute({
  method: "GET",
  path: "/v1/live",
  mirror: "/admin/tenants/:tenant/live",
  summary: "What is left of the day and of each rate, as it changes",
  description:
    "Events `limits`, each the object of `GET /v1/limits`: one at once, then one within two seconds of a change. It costs nothing. At most 20 at once of a tenant.",
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  query: eventQuery(0),
  reply: eventReply,
  failures: [...TENANT_READ, "over_limit"],
  handle: async (call) => {
    const watcher = newId("req");
    const read = () =>
      readTenant(call, (tenant, caller) => tenant.watchLimits(caller, { watcher }));
    const first = await read();
    if (first.kind !== "limits") return first;
    return raw(
      eventFeed({
        event: "limits",
        first: limitsObject(first),
        read: async () => {
          const limits = await read().catch((error: unknown) => {
            logError({ request_id: call.requestId, event: "live_ended", error: nameOf(error) });
            return null;
          });
          return limits?.kind === "limits" ? limitsObject(limits) : null;
        },
        forS: call.query.for_s,
      }),
    );
  },
});
