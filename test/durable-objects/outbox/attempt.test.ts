import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import {
  attempt,
  type Attempted,
  type AttemptOptions,
} from "../../../durable-objects/outbox/attempt.ts";
import { newWebhookSecret } from "../../../src/io/webhook-secret.ts";
import { until } from "../../until.ts";

// One attempt against hosts that do their worst. The host is the one that pictures are fetched from.

const HOST = String(Reflect.get(env, "FAKE_PICTURES_URL"));
const NOW = Date.UTC(2036, 10, 20, 14);

const options: AttemptOptions = {
  fetch,
  resolve: null,
  wallMs: () => NOW,
  timeoutMs: 5000,
  bodyMs: 50,
};
const message = { id: "evt_1", body: '{"id":"evt_1"}' };

const tried = async (url: string, changed: Partial<AttemptOptions> = {}) => {
  const target = { url, secrets: [newWebhookSecret()] };
  const result: Attempted = await attempt(target, message, { ...options, ...changed });
  if (result.kind !== "attempted") throw new Error("it was not attempted");
  const { status, error } = result.attempt;
  return { status, error, notBeforeMs: result.notBeforeMs };
};

const at = (path: string, changed: Partial<AttemptOptions> = {}) =>
  tried(new URL(path, HOST).href, changed);

/** Waits until the server has seen its reply at `path` cut short. */
async function seenAborted(path: string) {
  await until(async () => {
    const response = await fetch(new URL(`/aborted?${path}`, HOST));
    return Number(await response.text()) > 0;
  });
}

const isPublic = async () => ["93.184.216.34"];
const hangs = () => new Promise<never>(() => undefined);
const fails = async () => {
  throw new Error("the resolver answered 500");
};
const denied = async () => {
  throw new Error("Too many subrequests by single Worker invocation.");
};

describe("an attempt", () => {
  it.each([200, 201, 202, 204])("is delivered with a %i", async (status) => {
    expect(await at(`/status?${status}`)).toMatchObject({ status, error: null });
  });

  it.each([301, 302, 303, 307, 308])("fails with a %i, which is not followed", async (status) => {
    expect(await at(`/status?${status}`)).toMatchObject({ status, error: "redirect" });
  });

  it.each([400, 401, 404, 410, 429, 500, 503])("fails with a %i", async (status) => {
    expect(await at(`/status?${status}`)).toMatchObject({ status, error: "http_status" });
  });

  it.each(["/endless", "/drip", "/announces-too-much", "/bomb"])(
    "reads nothing of the body of %s, and hangs up",
    async (path) => {
      expect(await at(path, { timeoutMs: 20_000 })).toMatchObject({ status: 200, error: null });
      if (path !== "/bomb") await seenAborted(path);
    },
  );

  it("gives up on a host that does not answer", async () => {
    expect(await at("/hang", { timeoutMs: 100 })).toMatchObject({ status: null, error: "timeout" });
  });

  it("fails where a connection breaks", async () => {
    expect(await at("/drop")).toMatchObject({ status: null, error: "connection_failed" });
  });

  it("hears how long it is to wait", async () => {
    const reply = new Response(null, { status: 429, headers: { "Retry-After": "60" } });
    const result = await tried("https://a.dev/", { fetch: async () => reply });
    expect(result.notBeforeMs).toBe(NOW + 60_000);
  });

  it("tells nothing of the endpoint when the platform lets us ask nobody", async () => {
    const target = { url: "https://a.dev/", secrets: [newWebhookSecret()] };
    const strict = { ...options, resolve: isPublic };
    for (const given of [
      { ...strict, fetch: denied },
      { ...strict, resolve: denied },
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await attempt(target, message, given)).toEqual({ kind: "not_made" });
    }
  });
});

describe("a host", () => {
  const asked = vi.fn<typeof fetch>(async () => new Response(null, { status: 204 }));

  it.each([
    [["93.184.216.34"], null],
    [["93.184.216.34", "2606:2800:220:1::1"], null],
    [["10.0.0.7"], "private_address"],
    [["93.184.216.34", "127.0.0.1"], "private_address"],
    [["::1"], "private_address"],
    [["169.254.169.254"], "private_address"],
    [["::ffff:10.0.0.1"], "private_address"],
    [[], "unknown_host"],
  ])("that is at %j is asked, or not: %s", async (addresses, error) => {
    asked.mockClear();
    const resolve = async () => addresses;
    expect((await tried("https://hooks.acme.dev/", { fetch: asked, resolve })).error).toBe(error);
    expect(asked).toHaveBeenCalledTimes(error === null ? 1 : 0);
  });

  it.each(["http://hooks.acme.dev/", "https://127.0.0.1/", "https://localhost/"])(
    "is judged anew, whatever was allowed when it was stored: %s",
    async (url) => {
      asked.mockClear();
      const resolve = isPublic;
      expect((await tried(url, { fetch: asked, resolve })).error).toBe("private_address");
      expect(asked).not.toHaveBeenCalled();
    },
  );

  it("that cannot be asked for is unknown, or takes too long", async () => {
    const url = "https://hooks.acme.dev/";
    expect((await tried(url, { resolve: fails })).error).toBe("unknown_host");
    expect((await tried(url, { resolve: hangs, timeoutMs: 50 })).error).toBe("timeout");
  });
});
