import { afterEach, describe, expect, it } from "vitest";
import { evictDurableObject, reset } from "cloudflare:test";
import { ask, makeKey, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { askedFor } from "./scripted.ts";
import {
  answeredWith,
  GEMMA,
  makeSession,
  onWorkersAi,
  sessionOf,
  sessionStub,
} from "./session-client.ts";
import { openStream, readStream, textIn } from "./streams.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

afterEach(() => reset());

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`sessions-${made}`, settings);
};

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

/** What the engine was sent with this text, as role and content. */
async function sentWith(text: string): Promise<string[]> {
  const [request] = await askedFor(text);
  if (request === undefined) throw new Error("the engine was not asked");
  const { messages } = request.inputs as { messages: { role: string; content: string }[] };
  return messages.map(({ role, content }) => `${role}: ${content}`);
}

const result = (id: string) => ({ role: "tool", tool_call_id: id, content: "Sunny" });

const answerIn = ({ body }: Reply): string => body.choices[0].message.content;

describe("a session", () => {
  it("is made with its defaults, read, listed and deleted", async () => {
    const tenant = await aTenant();
    const { id, path } = await makeSession(tenant, { metadata: { topic: "boats" } });
    const read = await tenant.call("GET", path);
    expect(read.body).toMatchObject({
      id: expect.stringMatching(/^ses_/),
      object: "session",
      model: GEMMA,
      system: null,
      user_id: null,
      ttl_s: 3600,
      max_turns: 20,
      metadata: { topic: "boats" },
      turns: 0,
      in_line: 0,
      last_message_at: null,
    });
    expect(Date.parse(read.body.expires_at) - Date.parse(read.body.created_at)).toBe(3_600_000);
    const listed = await tenant.call("GET", "/v1/sessions");
    expect(listed.body.data.map((one: { id: string }) => one.id)).toEqual([id]);
    expect((await tenant.call("DELETE", path)).status).toBe(204);
    for (const gone of [
      await tenant.call("GET", path),
      await tenant.call("GET", `${path}/messages`),
      await tenant.call("POST", `${path}/messages`, {
        messages: [{ role: "user", content: "Hi" }],
      }),
      await tenant.call("DELETE", path),
    ]) {
      expect(gone.status).toBe(404);
    }
    expect((await tenant.call("GET", "/v1/sessions")).body.data).toEqual([]);
  });

  it("answers each message with what was said before, as a call of its own", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant, { system: "Be short.", user_id: "ada" });
    const first = await answeredWith("text=I am well&usage=20/4", "How are you?");
    const one = await session.send(first);
    expect([one.status, answerIn(one)]).toEqual([200, "I am well"]);
    expect(one.body.neurogate.session).toEqual({
      id: session.id,
      kept: true,
      turns_sent: 0,
      turns_left_out: 0,
    });
    const second = await answeredWith("text=Because of you", "Why?");
    const two = await session.send(second, { temperature: 0.5 });
    expect(two.body.neurogate.session).toMatchObject({ kept: true, turns_sent: 1 });
    expect(await sentWith(second)).toEqual([
      "system: Be short.",
      `user: ${first}`,
      "assistant: I am well",
      `user: ${second}`,
    ]);
    expect(await session.said()).toEqual([
      `user: ${first}`,
      "assistant: I am well",
      `user: ${second}`,
      "assistant: Because of you",
    ]);
    const [later, earlier] = await lines(tenant);
    for (const line of [earlier, later]) {
      expect(line).toMatchObject({
        route: "POST /v1/sessions/{id}/messages",
        outcome: "posted",
        session_id: session.id,
        user_id: "ada",
      });
    }
    // 20 * 9,091 + 4 * 27,273
    expect(earlier.micro_neurons).toBe(290_912);
    const read = await tenant.call("GET", session.path);
    expect(read.body).toMatchObject({ turns: 2, last_message_at: expect.any(String) });
  });

  it("streams an answer as a chat does, and keeps it whole", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const text = await answeredWith("text=Hello there&usage=12/5");
    const messages = [{ role: "user", content: text }];
    const open = await openStream(
      tenant.key,
      { messages, stream_options: { include_usage: true } },
      { path: `${session.path}/messages` },
    );
    expect(open.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const read = await readStream(open);
    expect([textIn(read), read.done]).toEqual(["Hello there", true]);
    expect(read.chunks.at(-1).neurogate.session).toMatchObject({ id: session.id, kept: true });
    expect(await session.said()).toEqual([`user: ${text}`, "assistant: Hello there"]);
    expect(await lines(tenant)).toMatchObject([{ outcome: "posted", session_id: session.id }]);
  });

  it("leaves the history as it was when a message fails", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const good = await answeredWith("text=Yes", "Is it good?");
    await session.send(good);
    const before = await session.said();
    const failed = await session.send(await answeredWith("3007"));
    expect(failed.status).toBe(504);
    // In its midst, when all was said but that it has ended, and without any answer.
    for (const behaviour of ["words=9&cut=4", "text=Yes&cut=3", "only_usage"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const messages = [{ role: "user", content: await answeredWith(behaviour) }];
      const path = `${session.path}/messages`;
      // oxlint-disable-next-line no-await-in-loop
      const cut = await readStream(await openStream(tenant.key, { messages }, { path }));
      expect([cut.done, JSON.stringify(cut.chunks.at(-1))]).toEqual([
        false,
        expect.stringContaining("engine_failed"),
      ]);
    }
    expect(await session.said()).toEqual(before);
    const next = await answeredWith("text=Still", "And now?");
    await session.send(next);
    expect(await sentWith(next)).toEqual([...before, `user: ${next}`]);
  });

  it("refuses what a chat refuses, and leaves the history as it was", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant, { user_id: "ada" });
    for (const [body, status] of [
      [{ messages: [] }, 400],
      [{ messages: [{ role: "user", content: "Hi" }], temperature: 9 }, 400],
      [{ messages: [{ role: "user", content: "Hi" }], model: "nobody/knows" }, 404],
      [{ messages: [{ role: "user", content: "Hi" }], user: "bob" }, 400],
      [{ messages: [{ role: "user", content: "Hi" }], max_tokens: 1_000_000 }, 400],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.call("POST", `${session.path}/messages`, body);
      expect([body, reply.status]).toEqual([body, status]);
    }
    expect(await session.said()).toEqual([]);
    expect((await tenant.call("GET", session.path)).body.in_line).toBe(0);
  });
});

describe("the history", () => {
  it("is of the last turns alone", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant, { max_turns: 2 });
    const texts: string[] = [];
    for (let at = 0; at < 4; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const text = await answeredWith(`text=Answer ${at}`, `Question ${at}`);
      texts.push(text);
      // oxlint-disable-next-line no-await-in-loop
      await session.send(text);
    }
    expect(await sentWith(texts[3] ?? "")).toEqual([
      `user: ${texts[1]}`,
      "assistant: Answer 1",
      `user: ${texts[2]}`,
      "assistant: Answer 2",
      `user: ${texts[3]}`,
    ]);
    expect(await session.said()).toHaveLength(4);
  });

  it("is cut to the model's window, the oldest turns first", async () => {
    const tenant = await aTenant({ plan: "paid", daily_neurons: 1_000_000 });
    const long = "word ".repeat(14_000);
    const session = await makeSession(tenant, { model: LLAMA });
    const first = await session.send(`${await answeredWith("text=One")} ${long}`, {
      max_tokens: 10,
    });
    expect(first.status).toBe(200);
    const second = await session.send(await answeredWith("text=Two"), { max_tokens: 10 });
    expect(second.body.neurogate.session).toMatchObject({ turns_sent: 0, turns_left_out: 1 });
    // A model with a larger window reads it.
    const third = await session.send(await answeredWith("text=Three"), {
      max_tokens: 10,
      model: GEMMA,
    });
    expect(third.body.neurogate.session).toMatchObject({ turns_sent: 2, turns_left_out: 0 });
  });

  it("has a megabyte at most, and always the last turn whole", async () => {
    const tenant = await aTenant({ plan: "paid", daily_neurons: 1_000_000 });
    const session = await makeSession(tenant, { model: LLAMA });
    const say = async (kilobytes: number, said: string) =>
      session.send(`${await answeredWith("text=Yes", said)} ${"x".repeat(kilobytes * 1024)}`);
    for (const at of [1, 2, 3, 4]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await say(300, `Part ${at}`)).status).toBe(200);
    }
    const beginnings = async () => (await session.said()).map((text) => text.slice(0, 12));
    const yes = "assistant: Y";
    expect(await beginnings()).toEqual([2, 3, 4].flatMap((at) => [`user: Part ${at}`, yes]));
    expect((await say(900, "Whole")).status).toBe(200);
    expect(await beginnings()).toEqual(["user: Whole ", yes]);
    const large = await say(1024, "Too much");
    expect([large.status, large.body.kind]).toEqual([413, "body_too_large"]);
    // As an object they are taken too, and are twice as long as a text.
    const given = { quotes: '"'.repeat(450_000) };
    const calls = [{ id: "c", type: "function", function: { name: "f", arguments: given } }];
    const messages = [{ role: "assistant", tool_calls: calls }, result("c")];
    const grown = await tenant.call("POST", `${session.path}/messages`, { messages });
    expect([grown.status, grown.body.kind]).toEqual([400, "over_limit"]);
    expect(await beginnings()).toEqual(["user: Whole ", yes]);
  });

  it("keeps a tool call and its result together", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant, { max_turns: 1 });
    const tools = [{ type: "function", function: { name: "get_weather" } }];
    const text = await answeredWith("tool=get_weather&calls=2", "How is the weather?");
    const asked = await session.send(text, { tools });
    const calls = asked.body.choices[0].message.tool_calls;
    expect(calls).toHaveLength(2);
    const post = (messages: object[]) =>
      tenant.call("POST", `${session.path}/messages`, { messages, tools });

    const early = await session.send("And now?", { tools });
    expect(early.status).toBe(400);
    expect(early.body.detail).toContain(calls[0].id);
    expect((await post([result(calls[0].id)])).status).toBe(400);
    expect((await post([result("call_unknown")])).status).toBe(400);

    const done = await post([result(calls[0].id), result(calls[1].id)]);
    expect(done.status).toBe(200);
    expect(done.body.neurogate.session).toMatchObject({ turns_sent: 1 });
    const kept = await tenant.call("GET", `${session.path}/messages`);
    const roles = kept.body.data.map((one: { role: string; turn: number }) => [one.role, one.turn]);
    expect(roles).toEqual([
      ["user", 1],
      ["assistant", 1],
      ["tool", 1],
      ["tool", 1],
      ["assistant", 1],
    ]);
    expect(kept.body.data[1].tool_calls).toEqual(calls);
    // The turn is dropped whole.
    const next = await answeredWith("text=Fine", "Thanks");
    await session.send(next);
    expect((await session.said())[0]).toBe(`user: ${next}`);
    // A result without a call is refused.
    expect((await post([result(calls[0].id)])).status).toBe(400);
  });

  it("has no turn that results of tools make longer than 1,000 messages", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const tools = [{ type: "function", function: { name: "get_weather" } }];
    const post = (messages: object[]) =>
      tenant.call("POST", `${session.path}/messages`, { messages, tools });
    const said = Array.from({ length: 997 }, () => ({ role: "user", content: "Hm" }));
    const text = await answeredWith("tool=get_weather&calls=2", "Weather?");
    const asked = await post([...said, { role: "user", content: text }]);
    const [one, two] = asked.body.choices[0].message.tool_calls;
    const before = await tenant.call("GET", session.path);
    const refused = await post([result(one.id), result(two.id)]);
    expect([refused.status, refused.body.kind]).toEqual([400, "invalid_request"]);
    expect(refused.body.detail).toContain("at most 4194304 bytes and 1000 messages");
    expect((await tenant.call("GET", session.path)).body).toEqual(before.body);
    expect((await lines(tenant))[0].micro_neurons).toBe(0);
  });

  it("has no tool call that was cut off, and an empty object for one without arguments", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const tools = [{ type: "function", function: { name: "get_weather" } }];
    const half = await answeredWith('tool=get_weather&args={"city":"Pa&finish=length');
    const cut = await session.send(half, { tools });
    expect([cut.status, cut.body.neurogate.session.kept]).toEqual([200, false]);
    expect(await session.said()).toEqual([]);
    const asked = await session.send(await answeredWith("tool=get_weather&args="), { tools });
    expect(asked.body.neurogate.session.kept).toBe(true);
    const { body } = await tenant.call("GET", `${session.path}/messages`);
    expect(body.data[1].tool_calls[0].function.arguments).toBe("{}");
  });

  it("survives the object", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const first = await answeredWith("text=One");
    await session.send(first);
    await evictDurableObject(sessionStub(tenant.id, session.id));
    await onWorkersAi(tenant.id, session.id);
    const second = await answeredWith("text=Two");
    await session.send(second);
    expect(await sentWith(second)).toEqual([`user: ${first}`, "assistant: One", `user: ${second}`]);
  });
});

describe("eight messages at once", () => {
  it("are answered in order, none lost, and the ninth is told to wait", async () => {
    const tenant = await aTenant({ max_in_flight: 16 });
    const session = await makeSession(tenant);
    const texts = await Promise.all(
      Array.from({ length: 9 }, (_, at) =>
        answeredWith(at === 0 ? "words=40&pace=20" : `text=Answer ${at}`, `Question ${at}`),
      ),
    );
    const [first = "", ...others] = texts;
    const open = await openStream(
      tenant.key,
      { messages: [{ role: "user", content: first }] },
      { path: `${session.path}/messages` },
    );
    const inLine = async () => (await tenant.call("GET", session.path)).body.in_line;
    const replies: Promise<Reply>[] = [];
    for (const [at, text] of others.slice(0, 7).entries()) {
      replies.push(session.send(text));
      // oxlint-disable-next-line no-await-in-loop -- in this order
      while ((await inLine()) < at + 2) await scheduler.wait(2);
    }
    const ninth = await session.send(others[7] ?? "");
    expect([ninth.status, ninth.body.kind]).toEqual([409, "session_busy"]);
    expect(ninth.headers.get("Retry-After")).toBe("1");
    const [streamed, ...answers] = [
      textIn(await readStream(open)),
      ...(await Promise.all(replies)).map(answerIn),
    ];
    expect(streamed.split(" ")).toHaveLength(40);
    expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7].map((at) => `Answer ${at}`));
    const said = texts
      .slice(0, 8)
      .flatMap((text, at) => [
        `user: ${text}`,
        `assistant: ${at === 0 ? streamed : `Answer ${at}`}`,
      ]);
    expect(await session.said()).toEqual(said);
    // Each has read all that was said before it.
    for (const [at, text] of texts.slice(0, 8).entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await sentWith(text)).toEqual(said.slice(0, 2 * at + 1));
    }
    // Told to wait, it has its turn later.
    expect((await session.send(others[7] ?? "")).status).toBe(200);
    expect(await inLine()).toBe(0);
  });
});

describe("an idempotency key", () => {
  it("answers a message once, and keeps it once", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const text = await answeredWith("text=Once");
    const key = { "Idempotency-Key": "m-1" };
    const one = await session.send(text, {}, key);
    const two = await session.send(text, {}, key);
    expect(two.headers.get("idempotency-replayed")).toBe("true");
    expect(two.body).toEqual(one.body);
    expect(await session.said()).toHaveLength(2);
    expect(await lines(tenant)).toHaveLength(1);
    expect((await session.send("Another", {}, key)).status).toBe(422);
    const other = await makeSession(tenant);
    expect((await other.send(text, {}, key)).status).toBe(422);
  });

  it("answers a tool's result again, whose call waits no more", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const tools = [{ type: "function", function: { name: "get_weather" } }];
    const asked = await session.send(await answeredWith("tool=get_weather"), { tools });
    const [call] = asked.body.choices[0].message.tool_calls;
    const body = { tools, messages: [{ role: "tool", tool_call_id: call.id, content: "Sunny" }] };
    const key = { "Idempotency-Key": "m-2" };
    const one = await tenant.call("POST", `${session.path}/messages`, body, key);
    const two = await tenant.call("POST", `${session.path}/messages`, body, key);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(two.body).toEqual(one.body);
    expect(await session.said()).toHaveLength(4);
  });
});

describe("keys", () => {
  it("of role call have the sessions of their own rotations, manage has all", async () => {
    const tenant = await aTenant();
    const issued = await tenant.call("POST", "/v1/keys", { role: "call" });
    const stranger = await makeKey(tenant.id, "call");
    const begun = await ask("POST", "/v1/sessions", {
      key: issued.body.key,
      body: { model: GEMMA },
    });
    const path = `/v1/sessions/${begun.body.id}`;
    const rotated = await tenant.call("POST", `/v1/keys/${issued.body.id}/rotate`, {
      overlap_s: 600,
    });
    const again = await tenant.call("POST", `/v1/keys/${rotated.body.id}/rotate`, {
      overlap_s: 600,
    });
    for (const key of [issued.body.key, rotated.body.key, again.body.key, tenant.key]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await ask("GET", path, { key })).status).toBe(200);
    }
    const messages = [{ role: "user", content: "Hello" }];
    for (const [method, at, body] of [
      ["GET", path, undefined],
      ["GET", `${path}/messages`, undefined],
      ["POST", `${path}/messages`, { messages }],
      ["DELETE", path, undefined],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await ask(method, at, { key: stranger, body });
      expect([method, at, reply.status]).toEqual([method, at, 404]);
    }
    expect((await ask("GET", "/v1/sessions", { key: again.body.key })).status).toBe(403);
    const listed = await tenant.call("GET", "/v1/sessions");
    expect(listed.body.data).toMatchObject([{ id: begun.body.id, key_id: issued.body.id }]);
  });

  it("of another tenant find nothing", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const other = await aTenant();
    expect((await other.call("GET", session.path)).status).toBe(404);
    expect((await sessionOf(other, session.id).send("Hello")).status).toBe(404);
  });
});

describe("a guard", () => {
  it("that withholds a message leaves the history as it was", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const text = await answeredWith("text=Fine", "Hello");
    await session.send(text);
    const moderation = { model: "omni-moderation-latest", policy: { input: { mode: "block" } } };
    const bad = await session.send("I will kill you, you stupid idiot", { moderation });
    expect(bad.body.choices[0].finish_reason).toBe("content_filter");
    expect(bad.body.neurogate.session.kept).toBe(false);
    expect(await session.said()).toEqual([`user: ${text}`, "assistant: Fine"]);
  });
});
