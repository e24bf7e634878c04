import { reset } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { makeTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// `daily_images_per_user` as a caller sees it.

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

it("a user's pictures of the day: refused until midnight, and found among the refusals", async () => {
  vi.useFakeTimers({ now: Date.UTC(2036, 10, 20, 23, 59, 30), toFake: ["Date"] });
  const tenant = await makeTenant("per-user", { daily_images_per_user: 3 });
  const post = (n: number) => tenant.call("POST", "/v1/images", { prompt: "A", n, user_id: "u" });
  expect((await post(2)).status).toBe(200);
  const reply = await post(2);
  expect(reply.status).toBe(429);
  expect(reply.body).toMatchObject({
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    kind: "rate_limited",
    "violated-policies": ["daily_images_per_user"],
    resets_at: "2036-11-21T00:00:00.000Z",
    limit: 3,
    remaining: 1,
    window_s: 86_400,
  });
  expect(reply.body.detail).toContain("This user has made 2 of 3 pictures today");
  expect(reply.headers.get("Retry-After")).toBe("30");
  expect(reply.headers.get("x-should-retry")).toBe("false");
  expect(reply.headers.get("retry-after-ms")).toBeNull();
  expect(reply.headers.get("RateLimit")).toMatch(/^"daily_images_per_user";r=1;t=30, "daily";/);
  expect(reply.headers.get("RateLimit-Policy")).toMatch(/^"daily_images_per_user";q=3;w=86400, /);
  const { body } = await tenant.call("GET", "/v1/refusals");
  expect(body.data).toMatchObject([
    { kind: "rate_limited", policy: "daily_images_per_user", count: 1 },
  ]);
  expect((await post(4)).body.kind).toBe("over_limit");
  vi.setSystemTime(Date.UTC(2036, 10, 21));
  expect((await post(3)).status).toBe(200);
});

it("pictures without a user: one limit for all of them, where the tenant asks for it", async () => {
  const tenant = await makeTenant("per-nobody", {
    daily_images_per_user: 2,
    anonymous_images: "limited",
  });
  const post = (body: object) => tenant.call("POST", "/v1/images", { prompt: "A", ...body });
  expect((await post({ n: 2 })).status).toBe(200);
  const refused = await post({});
  expect([refused.status, refused.body.kind]).toEqual([429, "rate_limited"]);
  expect(refused.body.detail).toContain("Calls without a user_id have made 2 of 2 pictures today");
  expect((await post({ n: 3 })).body.detail).toContain("calls without a user_id may have 2 a day");
  expect((await post({ user_id: "u" })).status).toBe(200);
});

it("pictures that no engine made are not the user's", async () => {
  const tenant = await makeTenant("per-user-void", { daily_images_per_user: 1 });
  const post = (behaviour: string) => {
    const prompt = `A boat [[fake:${behaviour}|${unique()}]]`;
    return tenant.onWorkersAi("POST", "/v1/images", { prompt, user_id: "u" });
  };
  expect((await post("5007")).status).toBe(502);
  expect((await post("500")).status).toBe(502);
  expect((await post("ok")).status).toBe(429);
});
