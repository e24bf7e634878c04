import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { actionOf, mountsOf } from "../../src/http/mount.ts";
import { honoursKey } from "../../src/http/openapi.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { ask, makeTenant, type TestTenant } from "../client.ts";

// The header over every POST route: a new one is covered by being in the list.

const POSTS = mountsOf(ROUTES).filter(({ method }) => method === "POST");

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("idempotent");
});

describe.each([
  ["Idempotency-Key", "a b"],
  ["x-neurogate-context", "two words"],
])("a malformed %s", (header, value) => {
  it.each(POSTS.map((mount) => [actionOf(mount), mount] as const))(
    "%s is 400",
    async (_, mount) => {
      const path = mount.path.replace(":account", tenant.id).replace(/(?<=\/):\w+\+?/g, "nobody");
      const reply = await ask("POST", path, {
        key: mount.auth.kind === "platform" ? env.ADMIN_TOKEN : tenant.key,
        body: {},
        headers: { [header]: value },
      });
      expect(reply.status).toBe(400);
      expect(JSON.stringify(reply.body)).toContain(header);
    },
  );
});

it("has no use where a repeat makes nothing, and nowhere else", () => {
  const ignoring = ROUTES.filter((route) => route.method === "POST" && !honoursKey(route));
  expect(ignoring.map(({ path }) => path).toSorted()).toEqual(IGNORING.toSorted());
});

/** `docs/api.md` says of each why. */
const IGNORING: readonly string[] = [
  "/admin/account/reopen",
  "/admin/deliveries/:id/replay",
  "/admin/invariants",
  "/admin/rebuild/:tenant",
  "/admin/reconcile",
  "/admin/webhooks",
  "/admin/webhooks/:id/replay",
  "/admin/webhooks/:id/rotate",
  "/admin/webhooks/:id/test",
  "/v1/deliveries/:id/replay",
  "/v1/documents/:id/embed",
  "/v1/erasures",
  "/v1/pipelines/runs/:id/cancel",
  "/v1/policies/:name/replay",
  "/v1/policies/calibrate",
  "/v1/quote",
  "/v1/verdicts/:id/review",
  "/v1/verdicts/batches/:id/cancel",
  "/v1/webhooks/:id/replay",
  "/v1/webhooks/:id/test",
  "/v1alpha1/comments:analyze",
  "/v1alpha1/comments:suggestscore",
];
