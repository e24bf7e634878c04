import { describe, expect, it } from "vitest";
import { actionOf, type Mount, mountsOf } from "../../src/http/mount.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { isAct } from "../audited.ts";

// Every route of the platform that changes something says how the audit log learns of it. (client.ts
// checks, for every request that a test sends with the admin token, that the log has the act.)

const OF_PLATFORM = mountsOf(ROUTES).filter(({ auth }) => auth.kind === "platform");

const actions = (mounts: readonly Mount[]): string[] => mounts.map(actionOf).toSorted();

/** The console, and people who search the log, know the acts by these names. */
const NAMES = [
  "DELETE /admin/state/applies/{id}",
  "DELETE /admin/tenants/{tenant}",
  "DELETE /admin/tenants/{tenant}/documents/{id}",
  "DELETE /admin/tenants/{tenant}/grants/{id}",
  "DELETE /admin/tenants/{tenant}/keys/{id}",
  "DELETE /admin/tenants/{tenant}/policies/{name}",
  "DELETE /admin/tenants/{tenant}/sessions/{id}",
  "DELETE /admin/tenants/{tenant}/webhooks/{id}",
  "DELETE /admin/webhooks/{id}",
  "PATCH /admin/account",
  "PATCH /admin/tenants/{tenant}",
  "PATCH /admin/tenants/{tenant}/policies/{name}",
  "PATCH /admin/tenants/{tenant}/webhooks/{id}",
  "PATCH /admin/webhooks/{id}",
  "POST /admin/account/reopen",
  "POST /admin/deliveries/{id}/replay",
  "POST /admin/invariants",
  "POST /admin/rebuild/{tenant}",
  "POST /admin/reconcile",
  "POST /admin/tenants/{tenant}/adjustments",
  "POST /admin/tenants/{tenant}/deliveries/{id}/replay",
  "POST /admin/tenants/{tenant}/erasures",
  "POST /admin/tenants/{tenant}/grants",
  "POST /admin/tenants/{tenant}/keys",
  "POST /admin/tenants/{tenant}/keys/{id}/rotate",
  "POST /admin/tenants/{tenant}/pipelines/runs/{id}/cancel",
  "POST /admin/tenants/{tenant}/verdicts/batches",
  "POST /admin/tenants/{tenant}/verdicts/batches/{id}/cancel",
  "POST /admin/tenants/{tenant}/verdicts/claim",
  "POST /admin/tenants/{tenant}/verdicts/{id}/review",
  "POST /admin/tenants/{tenant}/webhooks",
  "POST /admin/tenants/{tenant}/webhooks/{id}/replay",
  "POST /admin/tenants/{tenant}/webhooks/{id}/rotate",
  "POST /admin/tenants/{tenant}/webhooks/{id}/test",
  "POST /admin/webhooks",
  "POST /admin/webhooks/{id}/replay",
  "POST /admin/webhooks/{id}/rotate",
  "POST /admin/webhooks/{id}/test",
  "PUT /admin/state",
  "PUT /admin/tenants/{tenant}",
  "PUT /admin/tenants/{tenant}/policies/{name}",
];

describe("the acts of the platform", () => {
  it("are declared by every route that changes something", () => {
    const undeclared = OF_PLATFORM.filter(isAct).filter(({ route }) => route.audit === undefined);
    expect(actions(undeclared)).toEqual([]);
  });

  it("are recorded by the runner, but for documents of tenants, which are several acts", () => {
    const several = OF_PLATFORM.filter(({ route }) => route.audit === "acts");
    expect(actions(several)).toEqual(["PUT /admin/state"]);
  });

  it("include readings of content and of a person's data", () => {
    const read = OF_PLATFORM.filter(({ route }) => route.audit !== undefined).filter(
      (mount) => !isAct(mount),
    );
    expect(actions(read)).toEqual([
      "GET /admin/tenants/{tenant}/export",
      "GET /admin/tenants/{tenant}/verdicts/{id}/content",
      "GET /admin/tenants/{tenant}/verdicts/{id}/content/{index}",
    ]);
  });

  it("are declared only where the platform can do them", () => {
    const reachable = new Set(OF_PLATFORM.map(({ route }) => route));
    const audited = ROUTES.filter(({ audit }) => audit !== undefined);
    expect(audited.filter((route) => !reachable.has(route)).map(({ path }) => path)).toEqual([]);
  });

  it("keep their names", () => {
    expect(actions(OF_PLATFORM.filter(isAct))).toEqual(NAMES.toSorted());
  });
});
