import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { fetchPicture, type FetchPictureOptions } from "../../src/moderation/picture-sources.ts";
import { until } from "../until.ts";

const FAKE_PICTURES_URL = String(Reflect.get(env, "FAKE_PICTURES_URL"));
const MAX_BYTES = 4_194_304;
const options: FetchPictureOptions = { fetch, resolve: null, timeoutMs: 5000, maxBytes: MAX_BYTES };

const fetchFrom = (path: string, changed: Partial<FetchPictureOptions> = {}) =>
  fetchPicture(new URL(path, FAKE_PICTURES_URL), { ...options, ...changed });

/** Waits until the server has seen its reply at `path` cut short. */
async function seenAborted(path: string) {
  await until(async () => {
    const response = await fetch(new URL(`/aborted?${path}`, FAKE_PICTURES_URL));
    return Number(await response.text()) > 0;
  });
}

test.each(["/good", "/chunked"])("fetches %s", async (path) => {
  const picture = await fetchFrom(path);
  if (picture.kind === "failed") return expect.unreachable(picture.detail);
  expect(picture.bytes.byteLength).toBe(67);
  expect(picture.bytes.buffer.byteLength).toBe(67);
  return expect(new TextDecoder().decode(picture.bytes.subarray(1, 4))).toBe("PNG");
});

test.each([0, 1, 65_536, 65_537, 1_000_000, MAX_BYTES])("fetches %i bytes", async (size) => {
  const picture = await fetchFrom(`/bytes?${size}`);
  expect(picture.kind === "fetched" && picture.bytes.byteLength).toBe(size);
});

test("sends nothing about who asks", async () => {
  const picture = await fetchFrom("/headers");
  if (picture.kind === "failed") return expect.unreachable(picture.detail);
  const { host, ...sent } = JSON.parse(new TextDecoder().decode(picture.bytes));
  expect(host).toBe(new URL(FAKE_PICTURES_URL).host);
  // The runtime adds the last one, here and on Cloudflare's network.
  return expect(sent).toEqual({
    accept: "image/png, image/jpeg, image/webp",
    "user-agent": "neurogate",
    "cf-worker": expect.any(String),
  });
});

test.each([300, 301, 302, 303, 304, 307, 308])("does not follow a %i", async (status) => {
  const detail = "redirects are not followed";
  expect(await fetchFrom(`/status?${status}`)).toEqual({ kind: "failed", detail });
});

test.each([201, 204, 206, 401, 403, 404, 410, 500, 503])("refuses a %i", async (status) => {
  const detail = "did not answer with status 200";
  expect(await fetchFrom(`/status?${status}`)).toEqual({ kind: "failed", detail });
});

test.each([
  ["/announces-too-much", "is too large"],
  ["/endless", "is too large"],
])("gives up on %s and hangs up", async (path, detail) => {
  expect(await fetchFrom(path)).toEqual({ kind: "failed", detail });
  await seenAborted(path);
});

test("counts what a compressed body unpacks to", async () => {
  expect(await fetchFrom("/bomb")).toEqual({ kind: "failed", detail: "is too large" });
});

test("refuses one byte too many", async () => {
  const path = `/bytes?${MAX_BYTES + 1}`;
  expect(await fetchFrom(path)).toEqual({ kind: "failed", detail: "is too large" });
});

test.each(["/drip", "/hang"])("gives up on %s in time and hangs up", async (path) => {
  const picture = await fetchFrom(path, { timeoutMs: 300 });
  expect(picture).toEqual({ kind: "failed", detail: "did not arrive in time" });
  await seenAborted(path);
});

test.each(["/short", "/drop"])("fails on %s", async (path) => {
  expect(await fetchFrom(path)).toEqual({ kind: "failed", detail: "could not be fetched" });
});

test("fails where nobody listens", async () => {
  const picture = await fetchPicture(new URL("http://127.0.0.1:1/"), options);
  expect(picture).toEqual({ kind: "failed", detail: "could not be fetched" });
});

test("takes no more than was announced", async () => {
  const picture = await fetchFrom("/long");
  expect(picture.kind === "fetched" && new TextDecoder().decode(picture.bytes)).toBe("1234");
});

test("ends with the caller's signal", async () => {
  const signal = AbortSignal.timeout(100);
  const picture = await fetchFrom("/drip", { signal });
  expect(picture).toEqual({ kind: "failed", detail: "did not arrive in time" });
  expect(await fetchFrom("/good", { signal: AbortSignal.abort() })).toEqual(picture);
});

test("keeps the deadline when nothing listens to the signal", async () => {
  const picture = await fetchFrom("/good", { fetch: () => new Promise(() => {}), timeoutMs: 50 });
  expect(picture).toEqual({ kind: "failed", detail: "did not arrive in time" });
});

test("cancels a body that it does not want", async () => {
  const cancel = vi.fn<() => void>();
  const body = () => new ReadableStream({ pull: (it) => it.enqueue(new Uint8Array(1000)), cancel });
  const reply = (init: ResponseInit) => async () => new Response(body(), init);
  await fetchFrom("/", { fetch: reply({ status: 404 }) });
  await fetchFrom("/", { fetch: reply({ status: 302 }) });
  await fetchFrom("/", { fetch: reply({ headers: { "content-length": "5000000" } }) });
  await fetchFrom("/", { fetch: reply({}) });
  expect(cancel).toHaveBeenCalledTimes(4);
});

test("asks only hosts whose every address is public", async () => {
  const never = vi.fn<typeof fetch>();
  const notPublic = { kind: "failed", detail: "must name a public host" };
  const fetchResolved = (...addresses: string[]) =>
    fetchFrom("/good", { resolve: async () => addresses, fetch: never });
  expect(await fetchResolved("127.0.0.1")).toEqual(notPublic);
  expect(await fetchResolved("8.8.8.8", "10.0.0.1")).toEqual(notPublic);
  expect(await fetchResolved("8.8.8.8", "::ffff:8.8.8.8")).toEqual(notPublic);
  expect(await fetchResolved()).toEqual({ kind: "failed", detail: "could not be fetched" });
  expect(never).not.toHaveBeenCalled();

  const resolve = vi.fn<NonNullable<FetchPictureOptions["resolve"]>>();
  resolve.mockResolvedValue(["8.8.8.8", "2606:4700::1111"]);
  expect(await fetchFrom("/good", { resolve })).toMatchObject({ kind: "fetched" });
  expect(resolve).toHaveBeenCalledWith("127.0.0.1", expect.any(AbortSignal));
});

test("fetches nothing when the host cannot be resolved, in time too", async () => {
  const never = vi.fn<typeof fetch>();
  const unresolved = await fetchFrom("/good", {
    resolve: () => Promise.reject(new Error("SERVFAIL")),
    fetch: never,
  });
  expect(unresolved).toEqual({ kind: "failed", detail: "could not be fetched" });
  const late = await fetchFrom("/good", {
    resolve: () => new Promise(() => {}),
    fetch: never,
    timeoutMs: 50,
  });
  expect(late).toEqual({ kind: "failed", detail: "did not arrive in time" });
  expect(never).not.toHaveBeenCalled();
});
