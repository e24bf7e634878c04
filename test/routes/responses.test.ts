import { afterEach, describe, expect, it } from "vitest";
import { createExecutionContext, env, reset } from "cloudflare:test";
import { createRouter } from "../../src/http/router.ts";
import { BODY_LIMITS, BodyBudget } from "../../src/io/body-budget.ts";
import { createResponse } from "../../src/routes/responses.ts";
import { admin, makeKey, makeTenant, ask, type Reply, type TestTenant } from "../client.ts";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import { askedFor, unique } from "./scripted.ts";
import { storedKeys } from "./stored-pictures.ts";
import { openStream } from "./streams.ts";

// The Responses API: a chat whose turns are kept.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it"; // 9,091 in, 27,273 out; sees pictures
const TOOL = { type: "function", name: "get_weather", parameters: { type: "object" } };

/** As a chat has it. */
const weatherCall = (at: number) => ({
  id: `call_${at}`,
  type: "function",
  function: { name: "get_weather", arguments: "{}" },
});

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`responses-${made}`, settings);
};

afterEach(() => reset());

/** A text that makes the fake of Workers AI behave so; the first one of a conversation counts. */
const say = (behaviour: string): { text: string; id: string } => {
  const id = unique();
  return { text: `[[fake:${behaviour}|${id}]]`, id };
};

const respond = (tenant: TestTenant, body: object): Promise<Reply> =>
  tenant.onWorkersAi("POST", "/v1/responses", { model: GEMMA, max_output_tokens: 50, ...body });

/** The messages of each call of the model, oldest first. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into them freely
async function messagesOf(id: string): Promise<any[][]> {
  const asked = await askedFor(id);
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  return asked.map(({ inputs }) => (inputs as any).messages);
}

describe("a response", () => {
  it("has the shape that the clients read, its usage and its price", async () => {
    const tenant = await aTenant();
    const { text, id } = say("text=Hello there&usage=12/5/4/3");
    const { status, body, headers } = await respond(tenant, {
      input: text,
      instructions: "Be brief.",
      metadata: { thread: "t1" },
      temperature: 0.5,
      user: "ada",
    });
    expect(status).toBe(200);
    const ulid = body.id.slice("resp_".length);
    expect(body).toEqual({
      id: expect.stringMatching(/^resp_[0-9A-HJKMNP-TV-Z]{26}$/),
      object: "response",
      created_at: expect.any(Number),
      completed_at: expect.any(Number),
      status: "completed",
      background: false,
      error: null,
      incomplete_details: null,
      instructions: "Be brief.",
      max_output_tokens: 50,
      metadata: { thread: "t1" },
      model: GEMMA,
      output: [
        {
          type: "message",
          id: `msg_${ulid}_0001`,
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "Hello there", annotations: [] }],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: "default",
      store: true,
      temperature: 0.5,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      top_logprobs: 0,
      top_p: null,
      truncation: "disabled",
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 17,
      },
      user: "ada",
      neurogate: expect.objectContaining({ basis: "measured", engine: "workers-ai", model: GEMMA }),
    });
    const { data } = (await tenant.call("GET", "/v1/ledger")).body;
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({
      outcome: "posted",
      route: "POST /v1/responses",
      user_id: "ada",
      micro_neurons: body.neurogate.micro_neurons,
    });
    expect(headers.get("x-neurogate-micro-neurons")).toBe(String(body.neurogate.micro_neurons));
    const [messages] = await messagesOf(id);
    expect(messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: text },
    ]);
  });

  it.each([
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"],
  ])("that ended with %s is incomplete", async (finish, reason) => {
    const tenant = await aTenant();
    const { body } = await respond(tenant, { input: say(`finish=${finish}`).text });
    expect(body).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason },
      completed_at: null,
    });
    expect(body.output[0].status).toBe("incomplete");
  });

  it("shows what a model thought, and gives it to no model again", async () => {
    const tenant = await aTenant();
    const { text, id } = say("reasoning=1&text=Yes");
    const first = await respond(tenant, { input: text, reasoning: { effort: "xhigh" } });
    expect(first.headers.get("x-neurogate-reasoning-effort")).toBe("high");
    expect(first.body.reasoning.effort).toBe("high");
    expect(first.body.output.map(({ type }: { type: string }) => type)).toEqual([
      "reasoning",
      "message",
    ]);
    expect(first.body.output[0]).toMatchObject({
      id: expect.stringMatching(/^rs_/),
      summary: [],
      content: [{ type: "reasoning_text", text: "Let me think." }],
    });
    const input = [
      { role: "user", content: text },
      ...first.body.output,
      { type: "item_reference", id: first.body.output[0].id },
      { role: "user", content: "And now?" },
    ];
    expect((await respond(tenant, { input })).status).toBe(200);
    expect((await messagesOf(id)).at(-1)?.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "user",
    ]);
  });

  it("may answer in JSON by a schema", async () => {
    const tenant = await aTenant();
    const { text, id } = say('text={"city":"Paris"}');
    const schema = { type: "object", properties: { city: { type: "string" } } };
    const format = { type: "json_schema", name: "place", schema, strict: true };
    const { body } = await respond(tenant, { input: text, text: { format } });
    expect(body.text.format).toEqual(format);
    expect(JSON.parse(body.output[0].content[0].text)).toEqual({ city: "Paris" });
    const [asked] = await askedFor(id);
    expect(asked?.inputs).toMatchObject({
      response_format: { type: "json_schema", json_schema: { name: "place", schema } },
    });
  });

  it("drops no schema in silence", async () => {
    const tenant = await aTenant();
    const { text, id } = say('text={"city":"Paris"}');
    const schema = { type: "object", properties: { city: { type: "string" } } };
    const format = { type: "json_object", schema };
    expect((await respond(tenant, { input: text, text: { format } })).status).toBe(200);
    const [asked] = await askedFor(id);
    expect(asked?.inputs).toMatchObject({
      response_format: { type: "json_schema", json_schema: { name: "answer", schema } },
    });
    const beside = await respond(tenant, { input: text, format: schema });
    expect([beside.status, beside.body.error.param]).toEqual([400, "format"]);
    const twice = { type: "text", schema };
    const refused = await respond(tenant, { input: text, text: { format: twice } });
    expect([refused.status, refused.body.error.param]).toEqual([400, "text.format.schema"]);
  });

  it("may be about a picture", async () => {
    const tenant = await aTenant();
    const png = await makePng({ width: 1, height: 1, depth: 8, colour: 2 }, [[1, 2, 3]]);
    const { text, id } = say("text=A dot");
    const image_url = `data:image/png;base64,${png.toBase64()}`;
    const content = [
      { type: "input_text", text },
      { type: "input_image", image_url, detail: "low" },
    ];
    const { status, body } = await respond(tenant, { input: [{ role: "user", content }] });
    expect(status).toBe(200);
    const [messages] = await messagesOf(id);
    expect(messages?.[0].content).toEqual([
      { type: "text", text },
      { type: "image_url", image_url: { url: image_url } },
    ]);
    const items = await tenant.call("GET", `/v1/responses/${body.id}/input_items`);
    expect(items.body.data[0].content).toEqual(content);
  });

  it("is not kept twice for a repeat of its idempotency key", async () => {
    const tenant = await aTenant();
    const body = { model: GEMMA, input: say("text=Once").text };
    const headers = { "Idempotency-Key": "k1" };
    const first = await tenant.onWorkersAi("POST", "/v1/responses", body, headers);
    const again = await tenant.onWorkersAi("POST", "/v1/responses", body, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await storedKeys(`${tenant.id}/1/responses/`)).toHaveLength(1);
  });
});

describe("a conversation", () => {
  it("is continued by previous_response_id, without the instructions, and may branch", async () => {
    const tenant = await aTenant();
    const { text, id } = say("text=Ada,text=Bob,text=Eve");
    const first = await respond(tenant, { input: text, instructions: "Sing." });
    const second = await respond(tenant, {
      input: "And then?",
      previous_response_id: first.body.id,
    });
    const branch = await respond(tenant, {
      input: [
        { role: "developer", content: "Whisper." },
        { role: "user", content: "Or else?" },
      ],
      previous_response_id: first.body.id,
    });
    expect(second.body.previous_response_id).toBe(first.body.id);
    const third = await respond(tenant, { input: "Go on", previous_response_id: second.body.id });
    expect(third.status).toBe(200);
    const asked = await messagesOf(id);
    const begun = [
      { role: "user", content: text },
      { role: "assistant", content: "Ada" },
    ];
    expect(asked[1]).toEqual([...begun, { role: "user", content: "And then?" }]);
    expect(asked[2]).toEqual([
      ...begun,
      { role: "system", content: "Whisper." },
      { role: "user", content: "Or else?" },
    ]);
    expect(asked[3]).toEqual([
      ...begun,
      { role: "user", content: "And then?" },
      { role: "assistant", content: "Bob" },
      { role: "user", content: "Go on" },
    ]);
    expect(branch.body.output[0].content[0].text).toBe("Eve");
  });

  it("has tools over several steps, with kept items", async () => {
    const tenant = await aTenant();
    const { text, id } = say("tool=get_weather&calls=2,tool=get_weather,text=Sunny");
    const first = await respond(tenant, { input: text, tools: [TOOL], tool_choice: "required" });
    const calls = first.body.output;
    expect(calls).toEqual(
      [0, 1].map((at) => ({
        type: "function_call",
        id: expect.stringMatching(/^fc_/),
        call_id: `call_${at}`,
        name: "get_weather",
        arguments: '{"city":"Paris"}',
        status: "completed",
      })),
    );
    const outputs = [0, 1].map((at) => ({
      type: "function_call_output",
      call_id: `call_${at}`,
      output: `${at} degrees`,
    }));
    const second = await respond(tenant, {
      input: outputs,
      tools: [TOOL],
      previous_response_id: first.body.id,
    });
    const [call] = second.body.output;
    const third = await respond(tenant, {
      input: [
        {
          type: "function_call_output",
          call_id: call.call_id,
          output: [{ type: "input_text", text: "2 degrees" }],
        },
      ],
      tools: [TOOL],
      previous_response_id: second.body.id,
    });
    expect(third.body.output[0].content[0].text).toBe("Sunny");
    const asked = await askedFor(id);
    expect(asked[0]?.inputs).toMatchObject({
      tools: [{ type: "function", function: { name: "get_weather" } }],
      tool_choice: "required",
    });
    const [, , last] = await messagesOf(id);
    expect(last?.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "tool",
      "assistant",
      "tool",
    ]);
    expect(last?.[1].tool_calls).toHaveLength(2);
    expect(last?.[2]).toEqual({ role: "tool", content: "0 degrees", tool_call_id: "call_0" });
    expect(last?.[5].content).toBe("2 degrees");
  });

  it("takes the history of a chat, and what a function gave in any form", async () => {
    const tenant = await aTenant();
    const { text, id } = say("text=Sunny");
    const outputs = [{ celsius: 21, wind: null }, null, []];
    const input = [
      { role: "user", content: text },
      { role: "assistant", content: null, tool_calls: [weatherCall(0), weatherCall(1)] },
      { role: "tool", tool_call_id: "call_0", content: "21" },
      { role: "tool", tool_call_id: "call_1", content: [{ type: "text", text: "22" }] },
      { role: "assistant", content: [{ type: "thinking", thinking: "Hm." }] },
      ...outputs.flatMap((output, at) => [
        { type: "function_call", call_id: `own_${at}`, name: "get_weather", arguments: "{}" },
        { type: "function_call_output", call_id: `own_${at}`, output },
      ]),
    ];
    expect((await respond(tenant, { input, tools: [TOOL] })).status).toBe(200);
    const [sent] = await messagesOf(id);
    expect(sent?.slice(1, 4)).toMatchObject([
      { role: "assistant", content: null, tool_calls: [weatherCall(0), weatherCall(1)] },
      { role: "tool", tool_call_id: "call_0", content: "21" },
      { role: "tool", tool_call_id: "call_1", content: "22" },
    ]);
    const given = sent?.filter(({ tool_call_id: called }) => called?.startsWith("own_"));
    expect(given?.map(({ content }) => content)).toEqual(['{"celsius":21,"wind":null}', "", ""]);
  });

  it("takes references to items in place of them", async () => {
    const tenant = await aTenant();
    const { text, id } = say("tool=get_weather,text=Sunny");
    const first = await respond(tenant, { input: text, tools: [TOOL] });
    const [call] = first.body.output;
    const output = { type: "function_call_output", call_id: call.call_id, output: "7 degrees" };
    const second = await respond(tenant, {
      input: [{ role: "user", content: text }, { type: "item_reference", id: call.id }, output],
      tools: [TOOL],
    });
    expect(second.body.output[0].content[0].text).toBe("Sunny");
    const [, messages] = await messagesOf(id);
    expect(messages?.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    // What was referred to is kept with the one that refers to it.
    const items = await tenant.call("GET", `/v1/responses/${second.body.id}/input_items?order=asc`);
    expect(items.body.data.map(({ id: of }: { id: string }) => of)).toEqual([
      expect.stringMatching(/^msg_.*_0000$/),
      call.id,
      expect.stringMatching(/^fco_.*_0002$/),
    ]);
    // With its response, it is in the conversation already.
    const both = await respond(tenant, {
      input: [{ type: "item_reference", id: call.id }, output],
      previous_response_id: first.body.id,
    });
    expect(both.status).toBe(200);
    expect((await messagesOf(id)).at(-1)?.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
    ]);
  });

  it("has an item once, however often the request refers to it", async () => {
    const tenant = await aTenant();
    const { text, id } = say("text=Ada");
    const first = await respond(tenant, { input: text });
    const reference = { type: "item_reference", id: first.body.output[0].id };
    const input = [{ role: "user", content: text }, reference, reference, reference];
    const { status, body } = await respond(tenant, { input });
    expect(status).toBe(200);
    expect((await messagesOf(id)).at(-1)?.map(({ role }) => role)).toEqual(["user", "assistant"]);
    const items = await tenant.call("GET", `/v1/responses/${body.id}/input_items`);
    expect(items.body.data).toHaveLength(2);
  });

  it.each([
    ["a response that never was", "resp_01M7WM9VDG3WVTE8T1RYS3AM18"],
    ["another id", "chatcmpl-1"],
  ])("is not continued from %s", async (_, id) => {
    const tenant = await aTenant();
    const { status, body } = await respond(tenant, { input: "Hello", previous_response_id: id });
    expect([status, body.error.code, body.error.param]).toEqual([
      400,
      "previous_response_not_found",
      "previous_response_id",
    ]);
    const items = [
      { role: "user", content: "Hello" },
      { type: "item_reference", id: "msg_1" },
    ];
    const other = await respond(tenant, { input: items });
    expect([other.status, other.body.error.param]).toEqual([400, "input[1].id"]);
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toEqual([]);
  });

  it("needs every item that is referred to, also of a response that is kept", async () => {
    const tenant = await aTenant();
    const first = await respond(tenant, { input: say("text=Ada").text });
    const id = first.body.output[0].id.replace(/_\d{4}$/, "_0007");
    const input = [
      { type: "item_reference", id },
      { role: "user", content: "On" },
    ];
    const { status, body } = await respond(tenant, { input });
    expect([status, body.error.param]).toEqual([400, "input[0].id"]);
  });

  it("is not continued past a response that was deleted", async () => {
    const tenant = await aTenant();
    const first = await respond(tenant, { input: say("text=Ada").text });
    const second = await respond(tenant, { input: "On", previous_response_id: first.body.id });
    await tenant.call("DELETE", `/v1/responses/${first.body.id}`);
    const third = await respond(tenant, { input: "On", previous_response_id: second.body.id });
    expect([third.status, third.body.error.code]).toEqual([400, "previous_response_not_found"]);
    expect((await tenant.call("GET", `/v1/responses/${second.body.id}`)).status).toBe(200);
  });

  it.each([
    [
      "an output without its call",
      [{ type: "function_call_output", call_id: "call_9", output: "7" }],
      "input[0].call_id",
    ],
    [
      "a call without its output",
      [
        { type: "function_call", call_id: "call_9", name: "f", arguments: "{}" },
        { role: "user", content: "Hello" },
      ],
      "input",
    ],
    [
      "arguments that were cut off",
      [{ type: "function_call", call_id: "call_9", name: "f", arguments: '{"a":' }],
      "input[0].arguments",
    ],
    [
      "a picture that is none",
      [
        {
          role: "user",
          content: [{ type: "input_image", image_url: "data:image/png;base64,AAAA" }],
        },
      ],
      "input[0].content[0].image_url",
    ],
    [
      "a picture of the assistant",
      [{ role: "assistant", content: [{ type: "input_image", image_url: "https://a.dev/b.png" }] }],
      "input[0].content",
    ],
  ])("refuses %s by its place", async (_, input, param) => {
    const tenant = await aTenant();
    const { status, body } = await respond(tenant, { input });
    expect([status, body.error.param]).toEqual([400, param]);
  });
});

describe("what is kept", () => {
  it("is read, listed and deleted", async () => {
    const tenant = await aTenant();
    const input = ["one", "two", "three"].map((content) => ({ role: "user", content }));
    const { text } = say("text=Ada");
    const { body } = await respond(tenant, { input: [...input, { role: "user", content: text }] });
    const read = await tenant.call("GET", `/v1/responses/${body.id}`);
    expect(read.body).toEqual(body);
    const ulid = body.id.slice("resp_".length);
    const list = `/v1/responses/${body.id}/input_items`;
    const page = await tenant.call("GET", `${list}?order=asc&limit=3`);
    expect(page.body).toMatchObject({
      object: "list",
      first_id: `msg_${ulid}_0000`,
      last_id: `msg_${ulid}_0002`,
      has_more: true,
    });
    expect(page.body.data[1]).toEqual({
      type: "message",
      id: `msg_${ulid}_0001`,
      role: "user",
      status: "completed",
      content: [{ type: "input_text", text: "two" }],
    });
    const rest = await tenant.call("GET", `${list}?order=asc&after=${page.body.last_id}`);
    expect(rest.body.data).toHaveLength(1);
    expect(rest.body.has_more).toBe(false);
    const newest = await tenant.call("GET", list);
    expect(newest.body.first_id).toBe(`msg_${ulid}_0003`);
    expect((await tenant.call("GET", `${list}?after=msg_1`)).status).toBe(400);
    const streamed = await tenant.call("GET", `/v1/responses/${body.id}?stream=true`);
    expect(streamed.body.error.param).toBe("stream");

    const gone = await tenant.call("DELETE", `/v1/responses/${body.id}`);
    expect(gone.body).toEqual({ id: body.id, object: "response", deleted: true });
    expect(await storedKeys(`${tenant.id}/1/responses/`)).toEqual([]);
    for (const path of [`/v1/responses/${body.id}`, list]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const missing = await tenant.call("GET", path);
      expect([missing.status, missing.body.error.code]).toEqual([404, "not_found"]);
    }
    expect((await tenant.call("DELETE", `/v1/responses/${body.id}`)).status).toBe(404);
  });

  it("is nothing where store is false, or the tenant keeps none", async () => {
    const tenant = await aTenant();
    const none = await makeTenant("responses-none", { response_retention_s: 0 });
    const replies = [
      await respond(tenant, { input: say("text=Ada").text, store: false }),
      await respond(none, { input: say("text=Ada").text }),
      await respond(none, { input: say("text=Ada").text, store: true }),
    ];
    for (const { body } of replies) expect(body.store).toBe(false);
    expect(await storedKeys("responses-")).toEqual([]);
    const { body } = replies[0] as Reply;
    expect((await tenant.call("GET", `/v1/responses/${body.id}`)).status).toBe(404);
    const next = await respond(tenant, { input: "On", previous_response_id: body.id });
    expect(next.body.error.code).toBe("previous_response_not_found");
  });

  it("is of the person whose response it continues or refers to", async () => {
    const tenant = await aTenant();
    const first = await respond(tenant, { input: say("text=Ada").text, user: "ada" });
    const reference = { type: "item_reference", id: first.body.output[0].id };
    const on = { input: "On", previous_response_id: first.body.id };
    const referring = { input: [reference, { role: "user", content: say("text=Yes").text }] };
    for (const asked of [on, referring]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await respond(tenant, { ...asked, user: "bob" });
      expect([status, body.error.param]).toEqual([400, "user"]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await respond(tenant, asked)).status).toBe(200);
    }
    const { data } = (await tenant.call("GET", "/v1/ledger")).body;
    expect(data.map(({ user_id }: { user_id: string }) => user_id)).toEqual(["ada", "ada", "ada"]);
    const erased = await tenant.call("POST", "/v1/erasures", { user_id: "ada" });
    expect(erased.body.counts.responses).toBe(3);
  });

  it("is read within the rate of requests, and its call takes no second unit", async () => {
    const tenant = await aTenant();
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { rpm: { requests: 5 } });
    const left = async () => {
      const { rates } = (await tenant.call("GET", "/v1/limits")).body;
      return rates.find(({ name }: { name: string }) => name === "requests").remaining;
    };
    const first = await respond(tenant, { input: say("text=Ada").text });
    expect([first.status, await left()]).toEqual([200, 4]);
    const on = { input: "On", previous_response_id: first.body.id };
    expect([(await respond(tenant, on)).status, await left()]).toEqual([200, 3]);
    const streamed = { model: GEMMA, ...on };
    const open = await openStream(tenant.key, streamed, { path: "/v1/responses" });
    await open.response.text();
    await open.ended();
    expect([open.response.status, await left()]).toEqual([200, 2]);
    // What is refused by its admission has read it, too.
    const unknown = await respond(tenant, { ...on, model: "@cf/nobody/nothing" });
    expect([unknown.status, await left()]).toEqual([404, 1]);
    const quote = { path: "/v1/responses", body: { model: GEMMA, ...on } };
    expect((await tenant.call("POST", "/v1/quote", quote)).status).toBe(200);
    expect(await left()).toBe(0);
    let read = 0;
    const get = (...asked: Parameters<R2Bucket["get"]>) => {
      read += 1;
      return env.IMAGES.get(...asked);
    };
    const reply = await ask("POST", "/v1/responses", {
      key: tenant.key,
      body: { model: GEMMA, ...on },
      env: { INFERENCE: "workers-ai", IMAGES: { get } },
    });
    expect([reply.status, reply.body.error.kind, read]).toEqual([429, "rate_limited", 0]);
    expect((await tenant.call("POST", "/v1/quote", quote)).status).toBe(429);
    const { data } = (await tenant.call("GET", "/v1/refusals")).body;
    expect(data).toContainEqual(
      expect.objectContaining({ kind: "rate_limited", policy: "requests", count: 2 }),
    );
  });

  it("is not read where memory has no room for it", async () => {
    const tenant = await aTenant();
    const first = await respond(tenant, { input: say("text=Ada").text });
    const bodies = new BodyBudget({ ...BODY_LIMITS, totalBytes: 1000, waitMs: 50 });
    const deps = { mayRead: async () => null, record: async () => true, bodies };
    const request = new Request("https://gate.test/v1/responses", {
      method: "POST",
      headers: { Authorization: `Bearer ${tenant.key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ model: GEMMA, input: "On", previous_response_id: first.body.id }),
    });
    const router = createRouter([createResponse], deps);
    const response = await router.fetch(request, env, createExecutionContext());
    expect(response.status).toBe(503);
    expect(bodies.heldBytes).toBe(0);
  });

  it("is nobody else's", async () => {
    const tenant = await aTenant();
    const other = await aTenant();
    const { body } = await respond(tenant, { input: say("text=Ada").text });
    for (const [method, path] of [
      ["GET", `/v1/responses/${body.id}`],
      ["GET", `/v1/responses/${body.id}/input_items`],
      ["DELETE", `/v1/responses/${body.id}`],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await other.call(method, path)).status).toBe(404);
    }
    const stolen = [
      { previous_response_id: body.id, input: "On" },
      { input: [{ type: "item_reference", id: body.output[0].id }] },
    ];
    for (const asked of stolen) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await respond(other, asked)).status).toBe(400);
    }
    expect((await tenant.call("GET", `/v1/responses/${body.id}`)).status).toBe(200);
    const reviewer = await makeKey(tenant.id, "review");
    const refused = await ask("GET", `/v1/responses/${body.id}`, { key: reviewer });
    expect(refused.body.error.kind).toBe("role_required");
  });

  it("stays when the bucket fails, and the answer says so", async () => {
    const tenant = await aTenant();
    const broken = { put: () => Promise.reject(new Error("broken")) };
    const { body } = await ask("POST", "/v1/responses", {
      key: tenant.key,
      body: { model: GEMMA, input: say("text=Ada").text },
      env: { INFERENCE: "workers-ai", IMAGES: broken },
    });
    expect(body.output[0].content[0].text).toBe("Ada");
    expect(body.store).toBe(false);
    expect((await tenant.call("GET", `/v1/responses/${body.id}`)).status).toBe(404);
  });
});

it("refuses to include what nobody knows, and says what there is", async () => {
  const tenant = await aTenant();
  const { status, body } = await respond(tenant, { input: "Hello", include: ["everything"] });
  expect([status, body.error.param]).toEqual([400, "include[0]"]);
  expect(body.error.message).toContain("reasoning.encrypted_content");
});

describe("what is not served", () => {
  it.each([
    [{ tools: [{ type: "web_search" }] }, "tools"],
    [{ tools: [{ type: "mcp", server_label: "x", server_url: "https://a.dev" }] }, "tools"],
    [{ background: true }, "background"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ context_management: [{ type: "compaction" }] }, "context_management"],
    [{ truncation: "auto" }, "truncation"],
    [{ include: ["message.output_text.logprobs"] }, "include"],
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ text: { verbosity: "low" } }, "text.verbosity"],
    [{ verbosity: "high" }, "verbosity"],
    [{ reasoning: { context: "all_turns" } }, "reasoning.context"],
    [{ reasoning: { mode: "pro" } }, "reasoning.mode"],
    [{ logprobs: true }, "logprobs"],
    [{ tools: [TOOL], tool_choice: { type: "allowed_tools", tools: [] } }, "tool_choice"],
    [{ response_format: { type: "json_object" } }, "response_format"],
    [{ messages: [] }, "messages"],
    [{ max_tokens: 5 }, "max_tokens"],
    [{ reasoning_effort: "low" }, "reasoning_effort"],
    [{ stop: ["a"] }, "stop"],
    [{ seed: 1 }, "seed"],
    [{ n: 2 }, "n"],
    [{ input: [{ type: "web_search_call", id: "ws_1", status: "completed" }] }, "input[0].type"],
    [
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "file_1" }] }] },
      "input[0].content[0].type",
    ],
    [
      { input: [{ role: "user", content: [{ type: "input_image", file_id: "file_1" }] }] },
      "input[0].content[0].image_url",
    ],
  ])("is refused by name: %j", async (more, param) => {
    const tenant = await aTenant();
    const { status, body } = await respond(tenant, { input: "Hello", ...more });
    expect([status, body.error.code, body.error.param]).toEqual([
      400,
      "unsupported_parameter",
      param,
    ]);
    expect(body.error.message).toMatch(/^\S+: .{20,}\.$/);
  });

  it("is a wish for padded events", async () => {
    const tenant = await aTenant();
    const stream_options = { include_obfuscation: true };
    const { status, body } = await respond(tenant, {
      input: "Hello",
      stream: true,
      stream_options,
    });
    expect([status, body.error.param]).toEqual([400, "stream_options.include_obfuscation"]);
  });

  it("is told to the sender of a chat's body", async () => {
    const tenant = await aTenant();
    const messages = [{ role: "user", content: "Hello" }];
    const { status, body } = await respond(tenant, { messages });
    expect([status, body.error.param]).toEqual([400, "messages"]);
  });

  it("is not asked for by what is null, empty or changes nothing", async () => {
    const tenant = await aTenant();
    const { status, body } = await respond(tenant, {
      input: [
        { type: null, role: "user", content: say("text=Ada").text, status: null, id: null },
        { role: "assistant", content: [{ type: "output_text", text: "Yes", logprobs: [] }] },
        { role: "user", content: "On" },
      ],
      background: false,
      conversation: null,
      include: ["reasoning.encrypted_content"],
      instructions: null,
      metadata: null,
      n: 1,
      parallel_tool_calls: true,
      previous_response_id: null,
      prompt: null,
      access_programs: { cyber: "standard" },
      background_options: {},
      image: { context_compression: "disabled" },
      max_tool_calls: 3,
      prompt_cache_key: "a",
      prompt_cache_options: {},
      prompt_cache_retention: "24h",
      reasoning: { context: "auto", mode: "standard", generate_summary: "auto" },
      stream_options: { include_obfuscation: false },
      verbosity: "medium",
      logprobs: false,
      response_format: null,
      safety_identifier: "",
      service_tier: "auto",
      stop: [],
      store: null,
      text: { format: null, verbosity: "medium" },
      tool_choice: "auto",
      tools: [],
      top_logprobs: 0,
      truncation: "disabled",
      user: "",
    });
    expect(status).toBe(200);
    expect(body.store).toBe(true);
  });
});
