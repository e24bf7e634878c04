import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { rows } from "../durable-objects/a-tenant.ts";
import { JPEG } from "../engines/embedded/sample-pictures.ts";

// What was moderated, kept for people to see.

const TEXT = "Nice to meet you all here today";
const DAY_MS = 86_400_000;

// An account that has seen a day takes no earlier one for today: each test has its own.
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

let made = 0;
async function keeping(days: number): Promise<{ name: string; tenant: TestTenant }> {
  const name = `contents-${(made += 1)}`;
  return { name, tenant: await makeTenant(name, { content_retention_days: days }) };
}

const moderated = async (tenant: TestTenant, extra: object = {}): Promise<string> => {
  const images = [{ base64: JPEG.toBase64() }, { base64: JPEG.toBase64() }];
  const { status, body } = await tenant.call("POST", "/v1/verdicts", {
    text: TEXT,
    images,
    ...extra,
  });
  expect(status).toBe(200);
  return body.id;
};

const inBucket = async (name: string): Promise<string[]> =>
  (await env.IMAGES.list({ prefix: `${name}/` })).objects.map(({ key }) => key);

describe("contents", () => {
  it("are not kept unless the tenant says so", async () => {
    const { name, tenant } = await keeping(0);
    const id = await moderated(tenant);
    expect((await tenant.call("GET", `/v1/verdicts/${id}/content`)).status).toBe(404);
    expect(await rows(name, "SELECT * FROM contents")).toEqual([]);
    expect(await inBucket(name)).toEqual([]);
  });

  it("are read by reviewers, and every reading is noted", async () => {
    const { name, tenant } = await keeping(7);
    const id = await moderated(tenant);
    const key = await makeKey(name, "review");
    const path = `/v1/verdicts/${id}/content`;
    const read = await ask("GET", path, { key });
    expect(read.body).toMatchObject({ object: "content", verdict_id: id, text: TEXT });
    expect(read.body.pictures).toEqual([
      { content_type: "image/jpeg", bytes: expect.any(Number), kept: true, path: `${path}/0` },
      { content_type: "image/jpeg", bytes: expect.any(Number), kept: true, path: `${path}/1` },
    ]);
    const picture = await ask("GET", `${path}/1`, { key });
    expect(picture.status).toBe(200);
    expect(picture.headers.get("content-type")).toBe("image/jpeg");
    expect(picture.headers.get("cache-control")).toBe("no-store");
    expect((await ask("GET", `${path}/2`, { key })).status).toBe(404);
    const call = await makeKey(name, "call");
    expect((await ask("GET", path, { key: call })).body.kind).toBe("role_required");
    const audit = await tenant.call("GET", "/v1/audit");
    expect(audit.body.data).toHaveLength(3);
    expect(audit.body.data.at(-1)).toMatchObject({
      object: "content_read",
      verdict_id: id,
      key_id: expect.stringMatching(/^key_/),
      request_id: read.headers.get("x-request-id"),
    });
    expect((await ask("GET", "/v1/audit", { key })).body.kind).toBe("role_required");
  });

  it("spoil no verdict when the bucket fails, and say so", async () => {
    const { tenant } = await keeping(7);
    const failing = { ...env.IMAGES, put: () => Promise.reject(new Error("down")) };
    const { body } = await ask("POST", "/v1/verdicts", {
      key: tenant.key,
      body: { text: TEXT, images: [{ base64: JPEG.toBase64() }] },
      env: { IMAGES: failing },
    });
    const content = await tenant.call("GET", `/v1/verdicts/${body.id}/content`);
    expect(content.body.text).toBe(TEXT);
    expect(content.body.pictures).toEqual([expect.objectContaining({ kept: false, path: null })]);
  });

  it("of one person are told of, noted as read, and erased", async () => {
    const { name, tenant } = await keeping(7);
    await moderated(tenant, { user_id: "u_one" });
    const other = await moderated(tenant, { user_id: "u_two" });
    const exported = await tenant.call("GET", "/v1/export?user_id=u_one");
    const lines = String(exported.body)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ object }) => object === "content")).toMatchObject([{ text: TEXT }]);
    expect((await tenant.call("GET", "/v1/audit")).body.data).toHaveLength(1);
    await tenant.call("POST", "/v1/erasures", { user_id: "u_one" });
    await runDurableObjectAlarm(env.TENANT.getByName(name));
    expect(await rows(name, "SELECT verdict_id FROM contents")).toEqual([{ verdict_id: other }]);
    expect(await inBucket(name)).toEqual([
      `${name}/1/contents/${other}/0`,
      `${name}/1/contents/${other}/1`,
    ]);
  });

  it("go when their time is over, the files first", async () => {
    const { name, tenant } = await keeping(7);
    await moderated(tenant);
    expect(await inBucket(name)).toHaveLength(2);
    const nowMs = Date.now();
    vi.useFakeTimers({ now: nowMs + 6 * DAY_MS, toFake: ["Date"] });
    await runDurableObjectAlarm(env.TENANT.getByName(name));
    expect(await rows(name, "SELECT * FROM contents")).toHaveLength(1);
    vi.setSystemTime(nowMs + 8 * DAY_MS);
    // The limits' own step arms the alarm again.
    await tenant.call("POST", "/v1/verdicts", { text: TEXT });
    await runDurableObjectAlarm(env.TENANT.getByName(name));
    expect(await inBucket(name)).toEqual([]);
    expect(await rows(name, "SELECT * FROM contents")).toHaveLength(1);
  });
});
