import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { fetchBytes, type Served } from "./stored-pictures.ts";

// How a stored picture is served, and to whom.

let acme: TestTenant;
let other: TestTenant;
let id: string;
let link: string;
let whole: Served;

beforeEach(async () => {
  acme = await makeTenant("files-acme");
  other = await makeTenant("files-other");
  const made = await acme.call("POST", "/v1/images", { prompt: "A quiet lake", user_id: "u_7" });
  [{ id, url: link }] = made.body.data;
  whole = await fetchBytes(`/v1/images/${id}`, { key: acme.key });
});

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const withKey = (headers: Record<string, string> = {}, method = "GET") =>
  fetchBytes(`/v1/images/${id}`, { key: acme.key, headers, method });

describe("GET /v1/images/{id} with the owner's key", () => {
  it("gives the bytes, to be kept by the reader alone, and never run", () => {
    expect(whole.status).toBe(200);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": String(whole.bytes.length),
      "cache-control": "private, max-age=31536000, immutable",
      vary: "Authorization, x-api-key",
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-disposition": `attachment; filename="${id}.png"`,
    });
    expect(whole.headers.get("etag")).toMatch(/^"[^"]+"$/);
    expect(whole.bytes.subarray(1, 4)).toEqual(new TextEncoder().encode("PNG"));
  });

  it("gives nothing again to who has it", async () => {
    const etag = whole.headers.get("etag") ?? "";
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await withKey({ "If-None-Match": tag, Range: "bytes=0-1" });
      expect([reply.status, reply.bytes.length]).toEqual([304, 0]);
      expect(reply.headers.get("etag")).toBe(etag);
    }
    expect((await withKey({ "If-None-Match": '"x"' })).status).toBe(200);
  });

  it.each([
    ["bytes=0-7", 0, 8],
    ["bytes=8-", 8, undefined],
    ["bytes=-12", -12, undefined],
  ])("gives a part: %s", async (range, from, to) => {
    const reply = await withKey({ Range: range });
    const expected = whole.bytes.slice(from, to);
    expect(reply.status).toBe(206);
    expect(reply.bytes).toEqual(expected);
    expect(reply.headers.get("content-length")).toBe(String(expected.length));
    const first = from < 0 ? whole.bytes.length + from : from;
    const last = first + expected.length - 1;
    const stated = `bytes ${first}-${last}/${whole.bytes.length}`;
    expect(reply.headers.get("content-range")).toBe(stated);
  });

  it("has no part beyond the end, and no parts of another picture", async () => {
    const size = whole.bytes.length;
    const beyond = await withKey({ Range: `bytes=${size}-` });
    expect([beyond.status, beyond.bytes.length]).toEqual([416, 0]);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${size}`);
    const several = await withKey({ Range: "bytes=0-1,4-5" });
    expect([several.status, several.bytes.length]).toEqual([200, size]);
    const changed = await withKey({ Range: "bytes=0-1", "If-Range": '"x"' });
    expect([changed.status, changed.bytes.length]).toEqual([200, size]);
    const same = { Range: "bytes=0-1", "If-Range": whole.headers.get("etag") ?? "" };
    expect((await withKey(same)).status).toBe(206);
  });

  it("says to HEAD what it would give", async () => {
    const reply = await withKey({}, "HEAD");
    expect([reply.status, reply.bytes.length]).toEqual([200, 0]);
    expect(reply.headers.get("etag")).toBe(whole.headers.get("etag"));
  });

  it("still says that it is another's with another key, where browsers may call", async () => {
    const reply = await fetchBytes(`/v1/images/${id}`, {
      key: acme.key,
      headers: { Origin: "https://app.test" },
      env: { CORS_ORIGINS: "https://app.test" },
    });
    expect(reply.headers.get("vary")).toBe("Authorization, x-api-key, Origin");
    expect(reply.headers.get("access-control-allow-origin")).toBe("https://app.test");
  });

  it("is for a call key and for a reviewer", async () => {
    for (const role of ["call", "review"] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const key = await makeKey(acme.id, role);
      // oxlint-disable-next-line no-await-in-loop
      expect((await fetchBytes(`/v1/images/${id}`, { key })).status).toBe(200);
    }
  });
});

/** What is told of a picture that cannot be had, but for what names the request itself. */
function told({ status, bytes, headers }: Served) {
  const { request_id: _, instance: __, ...body } = JSON.parse(new TextDecoder().decode(bytes));
  return { status, body, type: headers.get("content-type") };
}

describe("a link", () => {
  it("opens the picture without a key, and is kept no longer than it lasts", async () => {
    const reply = await fetchBytes(link);
    expect(reply.status).toBe(200);
    expect(reply.bytes).toEqual(whole.bytes);
    const maxAge = /^private, max-age=(\d+), immutable$/.exec(
      reply.headers.get("cache-control") ?? "",
    );
    expect(Number(maxAge?.[1])).toBeGreaterThan(3590);
    expect(Number(maxAge?.[1])).toBeLessThanOrEqual(3600);
    expect((await fetchBytes(link, { headers: { Range: "bytes=0-3" } })).status).toBe(206);
    expect(new URL(link).searchParams.get("tenant")).toBe(acme.id);
  });

  it("ends, and a new one is in the metadata", async () => {
    vi.setSystemTime(Date.now() + 3_601_000);
    expect((await fetchBytes(link)).status).toBe(404);
    const { body } = await acme.call("GET", `/v1/images/${id}/metadata`);
    expect((await fetchBytes(body.url)).status).toBe(200);
  });

  it("tells nothing apart: forged, ended, of another tenant, of nothing, or of what is gone", async () => {
    const changed = (change: (url: URL) => void) => {
      const url = new URL(link);
      change(url);
      return fetchBytes(url.href);
    };
    const none = "img_01M7WM9VDG3WVTE8T1RYS3AM18";
    const refused = await Promise.all([
      changed((url) => url.searchParams.set("signature", "A".repeat(43))),
      changed((url) => url.searchParams.set("signature", "")),
      changed((url) => url.searchParams.set("tenant", other.id)),
      changed((url) => url.searchParams.set("life", "2")),
      changed((url) => url.searchParams.set("expires", "9999999999")),
      changed((url) => url.searchParams.delete("expires")),
      changed((url) => (url.pathname = `/v1/images/${none}`)),
      changed((url) => (url.pathname = "/v1/images/../images/x")),
      // With a key: another tenant's, no one's, and what is no id.
      fetchBytes(`/v1/images/${id}`, { key: other.key }),
      fetchBytes(`/v1/images/${none}`, { key: acme.key }),
      fetchBytes("/v1/images/..%2F..%2Ffiles-acme", { key: other.key }),
    ]);
    await env.IMAGES.delete(`${acme.id}/1/images/${id}`);
    refused.push(await fetchBytes(link));
    const [first, ...others] = refused.map(told);
    expect(first).toMatchObject({ status: 404, body: { kind: "not_found" } });
    for (const each of others) expect(each).toEqual(first);
  });

  it("opens the bytes alone", async () => {
    const url = new URL(link);
    url.pathname += "/metadata";
    const reply = await fetchBytes(url.href);
    expect(reply.status).toBe(401);
  });

  it("does not stand in for a key that is wrong", async () => {
    expect((await fetchBytes(link, { key: "ng_nobody" })).status).toBe(401);
    expect((await fetchBytes(`/v1/images/${id}`)).status).toBe(401);
  });

  it("opens with each secret that is known, and ends with the one that signed it", async () => {
    const rotated = { KEY_SECRETS: `a-new-key-secret-of-at-least-32-bytes,${env.KEY_SECRETS}` };
    expect((await fetchBytes(link, { env: rotated })).status).toBe(200);
    const replaced = { KEY_SECRETS: "a-new-key-secret-of-at-least-32-bytes" };
    expect((await fetchBytes(link, { env: replaced })).status).toBe(404);
  });

  it("of an earlier life opens nothing of the next", async () => {
    await admin("DELETE", `/admin/tenants/${acme.id}`);
    const again = await makeTenant(acme.id);
    await again.call("POST", "/v1/images", { prompt: "Another lake" });
    expect((await fetchBytes(link)).status).toBe(404);
  });
});

const failing = () => Promise.reject(new Error("internal error (10001)"));

describe("a bucket that does not answer", () => {
  it("is told as a service that is not available, which may be asked again", async () => {
    const broken = { IMAGES: { head: failing, get: failing } };
    const path = `/v1/images/${id}`;
    const replies = await Promise.all([
      ask("GET", path, { key: acme.key, env: broken }),
      ask("GET", `${path}/metadata`, { key: acme.key, env: broken }),
      ask("POST", `${path}/variations`, { key: acme.key, env: broken, body: {} }),
    ]);
    for (const { status, body, headers } of replies) {
      expect([status, body.kind]).toEqual([503, "unavailable"]);
      expect(headers.get("x-should-retry")).toBeNull();
    }
    expect((await fetchBytes(link, { env: broken })).status).toBe(503);
    // What cannot be the id of a picture is not looked for.
    const none = await ask("GET", "/v1/images/nothing", { key: acme.key, env: broken });
    expect(none.status).toBe(404);
  });
});

describe("GET /v1/images/{id}/metadata", () => {
  it("says what the picture was made of", async () => {
    const { status, body } = await acme.call("GET", `/v1/images/${id}/metadata`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      object: "image",
      prompt: "A quiet lake",
      user_id: "u_7",
      bytes: whole.bytes.length,
      width: 1024,
      height: 1024,
      model: "neurogate/placard@1",
      priced_as: "@cf/black-forest-labs/flux-1-schnell",
    });
  });

  it("is not there for anyone else", async () => {
    for (const [key, of] of [
      [other.key, id],
      [acme.key, "img_01M7WM9VDG3WVTE8T1RYS3AM18"],
      [acme.key, "nothing"],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await ask("GET", `/v1/images/${of}/metadata`, { key: key ?? null });
      expect([reply.status, reply.body.kind]).toEqual([404, "not_found"]);
    }
  });
});
