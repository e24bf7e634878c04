import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { scripted } from "./scripted.ts";

// To ban somebody only once so much of theirs was blocked.

const DAY_MS = 86_400_000;

let made = 0;
let tenant: TestTenant;
beforeEach(async () => {
  made += 1;
  tenant = await makeTenant(`ban-after-${made}`);
  await tenant.call("PUT", "/v1/policies/default", { ban_after: { blocks: 3, days: 7 } });
});

const judged = async (behaviour: string, user_id?: string) => {
  const { text } = scripted(behaviour);
  const reply = await tenant.onWorkersAi("POST", "/v1/verdicts", { text, user_id });
  return reply.body;
};

const BANNABLE = "judge=score:toxicity=95";
const BLOCKED = "judge=score:toxicity=75";
const WARNED = ["hide_content", "warn_user"];
const BANNED = ["hide_content", "ban_user"];

describe("ban_after", () => {
  it("counts this person's blocks, and this one with them", async () => {
    expect((await judged(BANNABLE, "ann")).actions).toEqual(WARNED);
    expect((await judged(BLOCKED, "ann")).actions).toEqual(WARNED);
    expect((await judged(BANNABLE, "bob")).actions).toEqual(WARNED);
    const third = await judged(BANNABLE, "ann");
    expect(third.actions).toEqual(BANNED);
    expect((await tenant.call("GET", `/v1/verdicts/${third.id}`)).body.actions).toEqual(BANNED);
  });

  it("stores what it answers, also where it warns", async () => {
    const first = await judged(BANNABLE, "ann");
    expect((await tenant.call("GET", `/v1/verdicts/${first.id}`)).body).toEqual(first);
  });

  it("does not count what is allowed, a test input or what is longer ago", async () => {
    await judged("ok", "ann");
    const test = { text: "neurogate:test:block", user_id: "ann" };
    await tenant.onWorkersAi("POST", "/v1/verdicts", test);
    await judged(BLOCKED, "ann");
    expect((await judged(BANNABLE, "ann")).actions).toEqual(WARNED);
    vi.setSystemTime(Date.now() + 8 * DAY_MS);
    expect((await judged(BANNABLE, "ann")).actions).toEqual(WARNED);
  });

  it("does not count a block that a person has taken back", async () => {
    await judged(BLOCKED, "ann");
    const { id, revision } = await judged(BLOCKED, "ann");
    const path = `/v1/verdicts/${id}/review`;
    await tenant.call("POST", path, { state: "open", origin: "appeal" });
    const done = { state: "done", decision: "allow", revision };
    expect((await tenant.call("POST", path, done)).status).toBe(200);
    expect((await judged(BANNABLE, "ann")).actions).toEqual(WARNED);
  });

  it("bans nobody of whom nothing is known", async () => {
    for (let times = 0; times < 4; times += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await judged(BANNABLE)).actions).toEqual(WARNED);
    }
  });

  it("counts within one call too", async () => {
    const input = [scripted(BANNABLE).text, scripted(BANNABLE).text, scripted(BANNABLE).text];
    const reply = await tenant.onWorkersAi("POST", "/v1/moderations", { input, user: "ann" });
    const actions = reply.body.results.map((result: { neurogate: { actions: string[] } }) => [
      ...result.neurogate.actions,
    ]);
    expect(actions).toEqual([WARNED, WARNED, BANNED]);
  });

  it("is of the policy that asks for it", async () => {
    await tenant.call("PUT", "/v1/policies/house", {});
    const { text } = scripted(BANNABLE);
    const body = { text, user_id: "cleo", policy: "house" };
    expect((await tenant.onWorkersAi("POST", "/v1/verdicts", body)).body.actions).toEqual(BANNED);
    const patched = await tenant.call("PATCH", "/v1/policies/default", { ban_after: null });
    expect(patched.body.ban_after).toBeNull();
    expect((await judged(BANNABLE, "dan")).actions).toEqual(BANNED);
  });

  it.each([{ blocks: 0, days: 7 }, { blocks: 3 }, { blocks: 3, days: 366 }, 3])(
    "refuses %j",
    async (ban_after) => {
      const reply = await tenant.call("PUT", "/v1/policies/default", { ban_after });
      expect(reply.status).toBe(400);
    },
  );
});
