import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readPicture } from "../../src/engines/picture.ts";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { inTenant } from "../durable-objects/a-tenant.ts";
import { fetchBytes, type Served, storedKeys } from "./stored-pictures.ts";
import { until } from "../until.ts";

// A stored picture at another size or in another format.

let acme: TestTenant;
let id: string;

beforeEach(async () => {
  acme = await makeTenant("variants-acme");
  const made = await acme.call("POST", "/v1/images", { prompt: "A quiet lake", user_id: "u_7" });
  id = made.body.data[0].id;
});

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

interface Asked {
  readonly accept?: string;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly method?: string;
}

const variant = (query: string, { accept, ...rest }: Asked = {}): Promise<Served> =>
  fetchBytes(`/v1/images/${id}?${query}`, {
    key: acme.key,
    headers: accept === undefined ? {} : { Accept: accept },
    ...rest,
  });

const problem = ({ bytes }: Served) => JSON.parse(new TextDecoder().decode(bytes));

const variantKeys = () => storedKeys(`${acme.id}/1/image-variants/`);

const counts = async () => (await acme.call("GET", "/v1/transformations")).body;

/** The real binding, whose transformations are counted and may be held back. */
function watched(before: () => Promise<void> = async () => {}) {
  const sent: unknown[] = [];
  const TRANSFORMS = {
    input: (picture: ReadableStream<Uint8Array>) => ({
      transform: (size: ImageTransform) => ({
        output: async (output: ImageOutputOptions) => {
          sent.push({ ...size, ...output });
          await before();
          return env.TRANSFORMS.input(picture).transform(size).output(output);
        },
      }),
    }),
  };
  return { sent, env: { TRANSFORMS } };
}

const failing = (message = "Images error 9523") =>
  watched(() => Promise.reject(new Error(message)));

const put = () => Promise.reject(new Error("internal error (10001)"));

describe("GET /v1/images/{id} with a size or a format", () => {
  it("gives it at that size, in that format, as any file of ours", async () => {
    const reply = await variant("width=320&height=200&fit=cover&format=jpeg");
    expect(reply.status).toBe(200);
    expect(readPicture(reply.bytes)).toMatchObject({ format: "jpeg", width: 320, height: 200 });
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": "image/jpeg",
      "content-length": String(reply.bytes.length),
      "cache-control": "private, max-age=31536000, immutable",
      vary: "Authorization, x-api-key",
      "x-content-type-options": "nosniff",
      "content-disposition": `attachment; filename="${id}.jpg"`,
    });
    const etag = reply.headers.get("etag") ?? "";
    const again = await fetchBytes(`/v1/images/${id}?width=320&height=200&fit=cover&format=jpeg`, {
      key: acme.key,
      headers: { "If-None-Match": etag },
    });
    expect(again.status).toBe(304);
    const part = await fetchBytes(`/v1/images/${id}?width=320&height=200&fit=cover&format=jpeg`, {
      key: acme.key,
      headers: { Range: "bytes=0-3" },
    });
    expect([part.status, part.bytes]).toEqual([206, reply.bytes.slice(0, 4)]);
  });

  it("keeps the ratio where one side is asked for, and enlarges nothing by itself", async () => {
    const half = await variant("width=512&format=png");
    expect(readPicture(half.bytes)).toMatchObject({ format: "png", width: 512, height: 512 });
    const same = await variant("height=2000&format=webp");
    expect(readPicture(same.bytes)).toMatchObject({ format: "webp", width: 1024, height: 1024 });
  });

  it.each([
    ["image/avif,image/webp,image/*;q=0.8", "image/avif"],
    ["image/webp,*/*", "image/webp"],
    ["image/avif;q=0, image/webp;q=0.1", "image/webp"],
    ["*/*", "image/png"],
    [undefined, "image/png"],
  ])("chooses the format by Accept: %s", async (accept, type) => {
    for (const query of ["width=64", "width=64&format=auto"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await variant(query, accept === undefined ? {} : { accept });
      expect([reply.status, reply.headers.get("content-type")]).toEqual([200, type]);
      expect(reply.headers.get("vary")).toBe("Authorization, x-api-key, Accept");
    }
    expect(await variantKeys()).toHaveLength(1);
  });

  it("transforms nothing for the format that the picture has", async () => {
    const { sent, env: counting } = watched();
    const whole = await variant("", { env: counting });
    expect(whole.headers.get("vary")).toBe("Authorization, x-api-key");
    for (const query of ["format=png", "format=auto"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await variant(query, { env: counting, accept: "*/*" });
      expect(reply.bytes).toEqual(whole.bytes);
    }
    expect(sent).toEqual([]);
    expect((await counts()).transformations).toBe(0);
  });

  it("makes each variant once, and counts it", async () => {
    const { sent, env: counting } = watched();
    const first = await variant("width=64&quality=70&format=webp", { env: counting });
    const again = await variant("quality=70&format=webp&width=64", { env: counting });
    expect(again.bytes).toEqual(first.bytes);
    expect(sent).toEqual([{ width: 64, fit: "scale-down", format: "image/webp", quality: 70 }]);
    expect((await variant("width=65&format=webp", { env: counting })).status).toBe(200);
    const today = new Date().toISOString().slice(0, 10);
    expect(await counts()).toEqual({
      object: "transformations",
      data: [{ day: today, transformations: 2, failed: 0 }],
      transformations: 2,
      failed: 0,
    });
    const mirrored = await admin("GET", `/admin/tenants/${acme.id}/transformations`);
    expect(mirrored.body.transformations).toBe(2);
  });

  it("makes it once for all who ask at the same time", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { sent, env: held } = watched(() => promise);
    const replies = Array.from({ length: 5 }, () => variant("width=80&format=webp", { env: held }));
    await until(() => sent.length === 1);
    resolve(undefined);
    const served = await Promise.all(replies);
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const { bytes } of served) expect(bytes).toEqual(served[0]?.bytes);
    expect(sent).toHaveLength(1);
    expect((await counts()).transformations).toBe(1);
  });

  it("makes two at once in an isolate, and the others after them", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { sent, env: held } = watched(() => promise);
    const replies = [81, 82, 83].map((side) => variant(`width=${side}&format=webp`, { env: held }));
    await until(() => sent.length === 2);
    await scheduler.wait(200);
    expect(sent).toHaveLength(2);
    resolve(undefined);
    const served = await Promise.all(replies);
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(sent).toHaveLength(3);
  });

  it("asks to try again where none of the two ends in time, and makes and counts nothing", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { sent, env: held } = watched(() => promise);
    const made = [87, 88].map((side) => variant(`width=${side}&format=webp`, { env: held }));
    await until(() => sent.length === 2);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const replies: Served[] = [];
    const asked = variant("width=89&format=webp", { env: held }).then((one) => replies.push(one));
    while (replies.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- one look for a place after the other
      await vi.advanceTimersByTimeAsync(500);
      // oxlint-disable-next-line no-await-in-loop
      await scheduler.wait(5);
    }
    await asked;
    vi.useRealTimers();
    const [refused] = replies;
    if (refused === undefined) throw new Error("there is no reply");
    expect([refused.status, problem(refused).kind]).toEqual([503, "unavailable"]);
    expect(problem(refused).detail).toContain("So many pictures are being transformed");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    resolve(undefined);
    const served = await Promise.all(made);
    expect(served.map(({ status }) => status)).toEqual([200, 200]);
    expect(sent).toHaveLength(2);
    expect((await counts()).transformations).toBe(2);
    expect((await variant("width=89&format=webp")).status).toBe(200);
  });

  it("is read by a key of role review, which has none made and signs no link to one", async () => {
    const key = await makeKey(acme.id, "review");
    const read = () => fetchBytes(`/v1/images/${id}?width=84&format=webp`, { key });
    const early = await read();
    expect([early.status, problem(early).kind]).toEqual([403, "role_required"]);
    const metadata = `/v1/images/${id}/metadata`;
    const link = await ask("GET", `${metadata}?width=84&format=webp`, { key });
    expect([link.status, link.body.kind]).toEqual([403, "role_required"]);
    expect((await ask("GET", metadata, { key })).status).toBe(200);
    expect((await counts()).transformations).toBe(0);
    const maker = await makeKey(acme.id, "call");
    const made = await fetchBytes(`/v1/images/${id}?width=84&format=webp`, { key: maker });
    expect([made.status, (await read()).status]).toEqual([200, 200]);
    expect((await counts()).transformations).toBe(1);
  });

  it("takes a unit of the rate of requests when it is made, and none afterwards", async () => {
    await admin("PATCH", `/admin/tenants/${acme.id}`, { rpm: { requests: 2 } });
    expect((await variant("width=85&format=webp")).status).toBe(200);
    const refused = await variant("width=86&format=webp");
    expect([refused.status, problem(refused).kind]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const { body } = await acme.call("GET", "/v1/refusals");
    expect(body.data).toMatchObject([
      {
        kind: "rate_limited",
        policy: "requests",
        count: 1,
        first_request_id: problem(refused).request_id,
      },
    ]);
    expect((await variant("width=85&format=webp")).status).toBe(200);
    expect((await counts()).transformations).toBe(1);
  });

  it.each([
    ["width=0", "#/width"],
    ["width=4097", "#/width"],
    ["height=12.5", "#/height"],
    ["height=-1", "#/height"],
    ["quality=101", "#/quality"],
    ["format=gif", "#/format"],
    ["fit=stretch&width=10", "#/fit"],
    ["fit=cover", "#/fit"],
    ["blur=250", "#/blur"],
  ])("refuses %s, naming the field", async (query, pointer) => {
    const reply = await variant(query);
    expect([reply.status, problem(reply).kind]).toEqual([400, "invalid_request"]);
    expect(problem(reply).errors[0].pointer).toBe(pointer);
    expect(await variantKeys()).toEqual([]);
  });

  it("has a limit of variants for each picture; those that were made are still given", async () => {
    const sides = Array.from({ length: 16 }, (_, at) => at + 1);
    const made = await Promise.all(sides.map((side) => variant(`width=${side}&format=png`)));
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await variant("width=17&format=png");
    expect(problem(refused)).toMatchObject({ kind: "over_limit" });
    expect(problem(refused).detail).toContain("at most 16 variants");
    expect((await variant("width=16&format=png")).status).toBe(200);
    expect((await variant("")).status).toBe(200);
    expect((await counts()).transformations).toBe(16);
  });

  it("says what is given where the deployment transforms nothing", async () => {
    await variant("width=32&format=png");
    const without = { env: { TRANSFORMS: undefined } };
    const reply = await variant("width=33", without);
    expect([reply.status, problem(reply).kind]).toEqual([501, "engine_unsupported"]);
    expect(problem(reply).detail).toContain("pictures only as they were made");
    // What there is already is given.
    expect((await variant("width=32&format=png", without)).status).toBe(200);
    expect((await variant("", without)).status).toBe(200);
  });

  it("tries what failed again, each time later, and counts it", async () => {
    vi.useFakeTimers({ now: Date.UTC(2036, 10, 20, 12), toFake: ["Date"] });
    const broken = failing();
    const reply = await variant("width=40", { env: broken.env });
    expect([reply.status, problem(reply).kind]).toEqual([502, "engine_failed"]);
    expect(problem(reply).detail).not.toContain("9523");
    const soon = await variant("width=40");
    expect(soon.status).toBe(502);
    expect(problem(soon).detail).toContain("not tried again before 2036-11-20T12:00:10.000Z");
    vi.setSystemTime(Date.UTC(2036, 10, 20, 12, 0, 10));
    expect((await variant("width=40", { env: broken.env })).status).toBe(502);
    expect(problem(await variant("width=40")).detail).toContain("12:00:30.000Z");
    expect(broken.sent).toHaveLength(2);
    vi.setSystemTime(Date.UTC(2036, 10, 20, 12, 0, 30));
    expect((await variant("width=40")).status).toBe(200);
    expect(await counts()).toMatchObject({ transformations: 3, failed: 2 });
  });

  it("is not made from what is not there, nor for another tenant", async () => {
    const other = await makeTenant("variants-other");
    const none = await fetchBytes("/v1/images/img_01M7WM9VDG3WVTE8T1RYS3AM18?width=9", {
      key: acme.key,
    });
    const theirs = await fetchBytes(`/v1/images/${id}?width=9`, { key: other.key });
    for (const reply of [none, theirs]) expect(problem(reply).kind).toBe("not_found");
    expect((await counts()).transformations).toBe(0);
  });

  it("is not kept where the bucket fails, and the caller may ask again", async () => {
    const bucket = { head: env.IMAGES.head.bind(env.IMAGES), get: env.IMAGES.get.bind(env.IMAGES) };
    const reply = await variant("width=41", { env: { IMAGES: { ...bucket, put } } });
    expect([reply.status, problem(reply).kind]).toEqual([502, "engine_failed"]);
    expect(await counts()).toMatchObject({ transformations: 1, failed: 1 });
  });
});

const linkOf = async (query: string): Promise<string> =>
  (await acme.call("GET", `/v1/images/${id}/metadata?${query}`)).body.url;

const changed = (from: string, change: (search: URLSearchParams) => void) => {
  const url = new URL(from);
  change(url.searchParams);
  return fetchBytes(url.href);
};

describe("a link to a variant", () => {
  it("opens that variant without a key", async () => {
    const reply = await fetchBytes(await linkOf("width=100&height=50&fit=squeeze&format=jpeg"));
    expect(reply.status).toBe(200);
    expect(readPicture(reply.bytes)).toMatchObject({ format: "jpeg", width: 100, height: 50 });
    expect(reply.headers.get("cache-control")).toMatch(/^private, max-age=3[56]\d\d, immutable$/);
  });

  it("opens the format that the reader takes, where it says auto", async () => {
    const link = await linkOf("width=100&format=auto");
    const reply = await fetchBytes(link, { headers: { Accept: "image/webp" } });
    expect(reply.headers.get("content-type")).toBe("image/webp");
    expect(reply.headers.get("vary")).toContain("Accept");
  });

  it("opens no other variant, and not the picture itself; nor does the picture's link open one", async () => {
    const link = await linkOf("width=100&format=jpeg");
    const whole = await linkOf("");
    const refused = await Promise.all([
      changed(link, (search) => search.set("width", "4096")),
      changed(link, (search) => search.delete("width")),
      changed(link, (search) => search.set("height", "100")),
      changed(link, (search) => search.set("format", "png")),
      changed(link, (search) => search.append("width", "200")),
      changed(link, (search) => {
        search.delete("width");
        search.delete("format");
      }),
      changed(whole, (search) => search.set("width", "100")),
      changed(whole, (search) => search.set("quality", "1")),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 404));
    expect(await variantKeys()).toEqual([]);
    expect((await fetchBytes(link)).status).toBe(200);
    expect((await fetchBytes(whole)).status).toBe(200);
  });

  it("makes nothing for a tenant that is suspended", async () => {
    const link = await linkOf("width=100");
    await admin("PATCH", `/admin/tenants/${acme.id}`, { suspended: true });
    const reply = await fetchBytes(link);
    expect([reply.status, problem(reply).kind]).toEqual([403, "tenant_suspended"]);
  });

  it("is refused for what is no variant", async () => {
    const reply = await acme.call("GET", `/v1/images/${id}/metadata?width=5000`);
    expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, "#/width"]);
  });
});

const erased = async (erasure: string) => {
  await runDurableObjectAlarm(env.TENANT.getByName(acme.id));
  return (await acme.call("GET", `/v1/erasures/${erasure}`)).body;
};
const variantRows = () =>
  inTenant(acme.id, ({ storage }) => storage.sql.exec("SELECT * FROM picture_variants").toArray());

describe("the erasure of a person", () => {
  it("takes the variants of their pictures with it, and no other's", async () => {
    const made = await acme.call("POST", "/v1/images", { prompt: "A boat", user_id: "u_8" });
    const other: string = made.body.data[0].id;
    const theirs = `/v1/images/${other}?width=50&format=png`;
    await fetchBytes(theirs, { key: acme.key });
    await variant("width=50&format=png");
    await variant("width=60&format=webp");
    expect(await variantKeys()).toHaveLength(3);
    const asked = await acme.call("POST", "/v1/erasures", { user_id: "u_7" });
    expect(await erased(asked.body.id)).toMatchObject({ state: "done", counts: { images: 1 } });
    const [left, ...more] = await variantKeys();
    expect([more, left?.includes(other)]).toEqual([[], true]);
    expect(await variantRows()).toHaveLength(1);
    expect((await variant("width=50&format=png")).status).toBe(404);
    expect((await fetchBytes(theirs, { key: acme.key })).status).toBe(200);
  });

  it("waits for a variant that is being made", async () => {
    vi.useFakeTimers({ now: Date.UTC(2036, 10, 20, 12), toFake: ["Date"] });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { sent, env: held } = watched(() => promise);
    const reply = variant("width=70&format=webp", { env: held });
    await until(() => sent.length === 1);
    const asked = await acme.call("POST", "/v1/erasures", { user_id: "u_7" });
    expect(await erased(asked.body.id)).toMatchObject({ state: "running", counts: { images: 1 } });
    resolve(undefined);
    await reply;
    expect(await variantKeys()).toHaveLength(1);
    vi.setSystemTime(Date.UTC(2036, 10, 20, 12, 0, 11));
    expect(await erased(asked.body.id)).toMatchObject({ state: "done", counts: { images: 1 } });
    expect(await variantKeys()).toEqual([]);
    expect(await storedKeys(`${acme.id}/1/image`)).toEqual([]);
    expect(await variantRows()).toEqual([]);
  });
});

describe("GET /v1/transformations", () => {
  it("has a range of days, and is for a tenant's own key", async () => {
    const old = await acme.call("GET", "/v1/transformations?from=2020-01-01&to=2020-01-31");
    expect(old.body).toEqual({
      object: "transformations",
      data: [],
      transformations: 0,
      failed: 0,
    });
    const wide = await acme.call("GET", "/v1/transformations?from=2020-01-01&to=2026-01-31");
    expect(wide.status).toBe(400);
    expect((await ask("GET", "/v1/transformations", { key: null })).status).toBe(401);
  });
});
