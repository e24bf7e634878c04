import { describe, expect, it } from "vitest";
import { backOffMs } from "../../console/src/api/back-off.ts";
import { createApi, queryText } from "../../console/src/api/client.ts";
import { serverEvents } from "../../console/src/api/events.ts";
import { fieldErrors, RequestFailed } from "../../console/src/api/problem.ts";

interface Asked {
  readonly url: string;
  readonly headers: Headers;
}

/** A server that answers in order; a number is that status, "gone" no answer at all. */
function serverOf(...answers: (Response | "gone")[]) {
  const asked: Asked[] = [];
  const waited: number[] = [];
  let signedOut = 0;
  const api = createApi({
    token: () => "the-token",
    refused: () => (signedOut += 1),
    fetch: async (url, init) => {
      asked.push({ url, headers: new Headers(init.headers) });
      const answer = answers.shift() ?? Response.json({});
      if (answer === "gone") throw new TypeError("no connection");
      return answer;
    },
    pause: async (ms) => void waited.push(ms),
  });
  return { api, asked, waited, signedOut: () => signedOut };
}

const problem = (status: number, kind: string, headers: Record<string, string> = {}) =>
  Response.json(
    { title: "No", status, detail: "Because.", kind, request_id: "req_1" },
    { status, headers },
  );

const failure = async (promise: Promise<unknown>): Promise<RequestFailed> => {
  const caught: unknown = await promise.catch((error: unknown) => error);
  if (!(caught instanceof RequestFailed)) throw new Error("it did not fail");
  return caught;
};

describe("a read", () => {
  it("carries the token in a header and nothing of it in the address", async () => {
    const { api, asked } = serverOf(Response.json({ a: 1 }));
    expect(await api.get("/v1/limits", { from: "x y", to: null })).toEqual({ a: 1 });
    expect(asked[0]?.url).toBe("/v1/limits?from=x+y");
    expect(asked[0]?.headers.get("authorization")).toBe("Bearer the-token");
  });

  it("is asked again while that can help, at most three times", async () => {
    const { api, asked, waited } = serverOf("gone", problem(503, "unavailable"), Response.json(1));
    expect(await api.get("/v1/limits")).toBe(1);
    expect(asked).toHaveLength(3);
    expect(waited).toHaveLength(2);
    const worse = serverOf("gone", "gone", "gone", Response.json(1));
    expect((await failure(worse.api.get("/v1/limits"))).problem.kind).toBe("network");
  });

  it("waits as long as the server asks, within reason", async () => {
    const { api, waited } = serverOf(
      problem(429, "rate_limited", { "retry-after": "3" }),
      problem(429, "rate_limited", { "retry-after": "3000" }),
      Response.json(1),
    );
    await api.get("/v1/limits");
    expect(waited).toEqual([3000, 5000]);
  });

  it.each([
    ["a repeat cannot help", problem(503, "unavailable", { "x-should-retry": "false" })],
    ["it is the caller's mistake", problem(400, "invalid_request")],
  ])("is not asked again where %s", async (_, answer) => {
    const { api, asked } = serverOf(answer);
    await failure(api.get("/v1/limits"));
    expect(asked).toHaveLength(1);
  });

  it("that is refused as nobody's ends the session, unless the token was another", async () => {
    const own = serverOf(problem(401, "invalid_key"));
    await failure(own.api.get("/v1/limits"));
    expect(own.signedOut()).toBe(1);
    const other = serverOf(problem(401, "invalid_key"));
    await failure(other.api.get("/v1/limits", {}, { token: "another" }));
    expect(other.signedOut()).toBe(0);
  });
});

describe("a change", () => {
  it("is sent once, unless it names itself: then a lost answer is asked for again", async () => {
    const plain = serverOf("gone", Response.json(1));
    await failure(plain.api.send("POST", "/v1/keys", {}));
    expect(plain.asked).toHaveLength(1);
    const named = serverOf("gone", Response.json(1));
    expect(await named.api.send("POST", "/v1/keys", {}, { once: true })).toBe(1);
    const keys = named.asked.map(({ headers }) => headers.get("idempotency-key"));
    expect(keys[0]).toMatch(/^"[0-9a-f]{32}"$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it("that the server refused is not repeated, whatever it is", async () => {
    const { api, asked } = serverOf(problem(503, "unavailable"));
    await failure(api.send("POST", "/v1/keys", {}, { once: true }));
    expect(asked).toHaveLength(1);
  });

  it("names the version that was looked at, and takes no content for null", async () => {
    const { api, asked } = serverOf(new Response(null, { status: 204 }));
    expect(await api.send("DELETE", "/v1/keys/1", undefined, { ifMatch: 7 })).toBeNull();
    expect(asked[0]?.headers.get("if-match")).toBe('"7"');
  });
});

describe("a failure", () => {
  it("keeps the server's words, its request and where fields are wrong", async () => {
    const errors = [{ pointer: "#/rpm/requests", detail: "must be at least 1" }];
    const body = {
      title: "Bad",
      detail: "No.",
      kind: "invalid_request",
      request_id: "req_2",
      errors,
    };
    const { api } = serverOf(Response.json(body, { status: 400 }));
    const failed = await failure(api.get("/x"));
    expect(failed.problem).toMatchObject({ detail: "No.", request_id: "req_2" });
    expect([...fieldErrors(failed)]).toEqual([["rpm.requests", "must be at least 1"]]);
  });

  it("of OpenAI's surface is read too, and of none the status is told", async () => {
    const error = { message: "Used up.", code: "insufficient_quota", kind: "quota_exceeded" };
    const openAi = serverOf(Response.json({ error }, { status: 429, headers: NEVER }));
    expect((await failure(openAi.api.get("/x"))).problem).toMatchObject({
      detail: "Used up.",
      kind: "quota_exceeded",
    });
    const none = serverOf(new Response("<b>no</b>", { status: 400 }));
    expect((await failure(none.api.get("/x"))).problem.detail).toBe("The server answered 400.");
  });
});

const NEVER = { "x-should-retry": "false" };

const bodyOf = (...chunks: string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });

async function readAll(body: ReadableStream<Uint8Array>) {
  const events = [];
  for await (const event of serverEvents(body)) events.push(event);
  return events;
}

describe("a stream of events", () => {
  it("is read across chunks, comments left out", async () => {
    const events = [];
    const body = bodyOf(
      "event: lim",
      'its\r\ndata: {"a":\ndata: 1}\n',
      "\n: still here\n\ndata: x\n\n",
    );
    for await (const event of serverEvents(body)) events.push(event);
    expect(events).toEqual([
      { event: "limits", data: '{"a":\n1}' },
      { event: "message", data: "x" },
    ]);
  });

  it("whose event never ends is given up", async () => {
    await expect(readAll(bodyOf("data: ", "x".repeat(4_000_001)))).rejects.toThrow("too long");
  });
});

describe("waiting", () => {
  it("doubles up to half a minute, with jitter", () => {
    expect([1, 2, 3, 9].map((n) => backOffMs(n, () => 1))).toEqual([500, 1000, 2000, 30_000]);
    expect(backOffMs(1, () => 0)).toBe(250);
  });

  it("is not part of a query that has nothing", () => {
    expect(queryText({ a: null, b: undefined, c: "" })).toBe("");
  });
});
