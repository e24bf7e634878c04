import { describe, expect, it } from "vitest";
import { admin, makeTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// No time that a caller may name is one that an object, or an id, cannot hold.

const TENANT = await makeTenant(`times-${unique()}`, {});

const ABSURD = [
  "0001-01-01T00:00:00Z",
  "0000-01-01T00:00:00Z",
  "1969-12-31T23:59:59.999Z",
  "1970-01-01T00:00:00+14:00",
  "9999-12-31T23:59:59-14:00",
  "99999-01-01T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "-0001-01-01T00:00:00Z",
];

const MARGINAL = [
  "1970-01-01T00:00:00Z",
  "1970-01-01T00:05:00.000Z",
  "9999-12-31T23:59:59.999Z",
  "2026-11-20T00:00:00+02:00",
];

const OWN = ["verdicts", "ledger", "refusals"];
const LISTS = [
  ...OWN.map((name) => `/v1/${name}`),
  ...OWN.map((name) => `/admin/tenants/${TENANT.id}/${name}`),
  "/admin/moderation-log",
];

const get = (path: string) =>
  path.startsWith("/admin") ? admin("GET", path) : TENANT.call("GET", path);

const pathsOf = (time: string) =>
  LISTS.flatMap((list) =>
    ["from", "to"].map((bound) => ({
      path: `${list}?${bound}=${encodeURIComponent(time)}`,
      bound,
    })),
  );

describe("a time in a query", () => {
  it.each(ABSURD)("%s is the caller's mistake, wherever it stands", async (time) => {
    for (const { path, bound } of pathsOf(time)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await get(path);
      expect([path, reply.status]).toEqual([path, 400]);
      expect(reply.body.errors[0]).toMatchObject({ pointer: `#/${bound}` });
    }
  });

  it.each(MARGINAL)("%s is a bound like any other", async (time) => {
    for (const { path } of pathsOf(time)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect([path, (await get(path)).status]).toEqual([path, 200]);
    }
  });
});

describe("a time in a body", () => {
  it.each(ABSURD)("%s is refused", async (time) => {
    const { body: hook } = await TENANT.call("POST", "/v1/webhooks", {
      url: "https://example.com/hook",
      events: ["moderation.verdict"],
    });
    const replies = [
      await TENANT.call("POST", "/v1/policies/default/replay", { from: time }),
      await TENANT.call("POST", "/v1/policies/default/replay", { to: time }),
      await TENANT.call("POST", "/v1/keys", { expires_at: time }),
      await TENANT.call("POST", `/v1/webhooks/${hook.id}/replay`, { from: time }),
      await TENANT.call("POST", `/v1/webhooks/${hook.id}/replay`, { from: MARGINAL[0], to: time }),
    ];
    await TENANT.call("DELETE", `/v1/webhooks/${hook.id}`);
    expect(replies.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  });

  it.each(MARGINAL)("a replay up to %s ends", async (time) => {
    const reply = await TENANT.call("POST", "/v1/policies/default/replay", { to: time });
    expect(reply.status).toBe(200);
  });
});

describe("a day in a query", () => {
  it.each(["0001-01-01", "0000-12-31", "1969-12-31", "9999-13-01", "10000-01-01"])(
    "%s is refused",
    async (day) => {
      for (const path of ["/v1/usage", "/admin/usage", "/admin/reconciliation"]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const reply = await get(`${path}?from=${day}&to=${day}`);
        expect([path, reply.status]).toEqual([path, 400]);
      }
    },
  );

  it.each(["1970-01-01", "9999-12-31"])("%s has had no calls", async (day) => {
    const reply = await TENANT.call("GET", `/v1/usage?from=${day}&to=${day}`);
    expect(reply.status).toBe(200);
  });
});
