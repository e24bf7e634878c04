import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream } from "./streams.ts";
import { storedKeys } from "./stored-pictures.ts";

// The events of a streamed response: their order, their places, and what is kept of them.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const TOOL = { type: "function", name: "get_weather" };

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`response-stream-${made}`, settings);
};

afterEach(() => reset());

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into events freely
type Event = any;

async function stream(behaviour: string, more: object = {}, of?: TestTenant) {
  const tenant = of ?? (await aTenant());
  const input = `[[fake:${behaviour}|${unique()}]]`;
  const body = { model: GEMMA, input, max_output_tokens: 50, ...more };
  const open = await openStream(tenant.key, body, { path: "/v1/responses" });
  const raw = await open.response.text();
  await open.ended();
  const events: Event[] = raw
    .split("\n\n")
    .filter((event) => event !== "" && event !== ":")
    .map((event) => {
      const [, type, data] = /^event: (\S+)\ndata: (.*)$/.exec(event) ?? [];
      const parsed: Event = JSON.parse(data ?? "null");
      expect(parsed.type, "the line and the data name the same event").toBe(type);
      return parsed;
    });
  return { tenant, events, raw, open };
}

const typesOf = (events: readonly Event[]): string[] =>
  events.map(({ type }) => type.replace(/^response\./, ""));

/** What a client puts together of the events, as OpenAI's own does, with what must hold in between. */
function assembled(events: readonly Event[]): Event {
  expect(events.map(({ sequence_number: at }) => at)).toEqual([...events.keys()]);
  const output: Event[] = [];
  const done = new Set<number>();
  const open = (event: Event): Event => {
    const item = output[event.output_index];
    expect(done.has(event.output_index), "an item that has ended does not grow").toBe(false);
    if (event.item_id !== undefined) expect(event.item_id).toBe(item.id);
    return item;
  };
  for (const event of events) {
    switch (event.type) {
      case "response.output_item.added":
        expect(event.output_index).toBe(output.length);
        expect(event.item.status).toBe("in_progress");
        output.push(structuredClone(event.item));
        break;
      case "response.content_part.added":
        expect(open(event).content).toHaveLength(event.content_index);
        open(event).content.push(structuredClone(event.part));
        break;
      case "response.output_text.delta":
      case "response.reasoning_text.delta":
        open(event).content[event.content_index].text += event.delta;
        break;
      case "response.output_text.done":
      case "response.reasoning_text.done":
        expect(open(event).content[event.content_index].text).toBe(event.text);
        break;
      case "response.content_part.done":
        expect(open(event).content[event.content_index]).toEqual(event.part);
        break;
      case "response.function_call_arguments.delta":
        open(event).arguments += event.delta;
        break;
      case "response.function_call_arguments.done":
        expect(open(event)).toMatchObject({ arguments: event.arguments, name: event.name });
        break;
      case "response.output_item.done":
        expect({ ...open(event), status: event.item.status }).toEqual(event.item);
        output[event.output_index] = event.item;
        done.add(event.output_index);
        break;
      default:
        break;
    }
  }
  const last = events.at(-1).response;
  if (last.status !== "failed") {
    expect(last.output).toEqual(output);
    expect(done.size).toBe(output.length);
  }
  return last;
}

const TEXT = [
  "output_item.added",
  "content_part.added",
  "output_text.delta",
  "output_text.delta",
  "output_text.done",
  "content_part.done",
  "output_item.done",
];

describe("a streamed response", () => {
  it.each([GEMMA, LLAMA])("comes as typed events in order, of %s", async (model) => {
    const { events, open, tenant } = await stream("text=Hello there&usage=12/5", { model });
    expect(typesOf(events)).toEqual(["created", "in_progress", ...TEXT, "completed"]);
    const last = assembled(events);
    const [created] = events;
    expect(created.response).toMatchObject({
      status: "in_progress",
      output: [],
      usage: null,
      store: true,
      id: last.id,
      model,
    });
    expect(last).toMatchObject({
      status: "completed",
      usage: { input_tokens: 12, output_tokens: 5, total_tokens: 17 },
      neurogate: { basis: "measured", model },
    });
    expect(last.output[0].content[0].text).toBe("Hello there");
    expect(open.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(line.micro_neurons).toBe(last.neurogate.micro_neurons);
    expect((await tenant.call("GET", `/v1/responses/${last.id}`)).body).toEqual(last);
  });

  it("has what was thought before what is said", async () => {
    const { events } = await stream("reasoning=1&text=Yes now");
    expect(typesOf(events)).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "reasoning_text.delta",
      "reasoning_text.done",
      "content_part.done",
      "output_item.done",
      ...TEXT,
      "completed",
    ]);
    expect(assembled(events).output[0].content[0].text).toBe("Let me think.");
  });

  it.each([GEMMA, LLAMA])(
    "has calls of tools in pieces that fit together, of %s",
    async (model) => {
      const asked = { model, tools: [TOOL] };
      const { events, tenant } = await stream("tool=get_weather&calls=2", asked);
      const last = assembled(events);
      expect(last.output).toHaveLength(2);
      for (const call of last.output) {
        expect(call).toMatchObject({ type: "function_call", name: "get_weather" });
        expect(JSON.parse(call.arguments)).toEqual({ city: "Paris" });
        expect(call.call_id).toMatch(/^call_/);
      }
      expect(new Set(last.output.map(({ call_id }: Event) => call_id)).size).toBe(2);
      const outputs = last.output.map(({ call_id }: Event) => ({
        type: "function_call_output",
        call_id,
        output: "7 degrees",
      }));
      const more = { ...asked, input: outputs, previous_response_id: last.id };
      const next = await stream("", more, tenant);
      expect(assembled(next.events).status).toBe("completed");
    },
  );

  it("that reached its limit is incomplete", async () => {
    const { events } = await stream("text=Hello there&finish=length");
    expect(typesOf(events).at(-1)).toBe("incomplete");
    const last = assembled(events);
    expect(last).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    });
    expect(last.output[0].status).toBe("incomplete");
  });

  it("that is withheld by the guard says nothing of it", async () => {
    const tenant = await aTenant();
    const moderation = {
      model: "omni-moderation-latest",
      policy: { input: { mode: "block" }, output: { mode: "block" } },
    };
    const input = `I will kill you, you worthless idiot. [[fake:text=Never|${unique()}]]`;
    const { events, raw } = await stream("", { input, moderation }, tenant);
    expect(typesOf(events)).toEqual(["created", "in_progress", "incomplete"]);
    const last = assembled(events);
    expect(last).toMatchObject({
      incomplete_details: { reason: "content_filter" },
      output: [],
      moderation: { input: { type: "moderation_result", flagged: true } },
    });
    expect(raw).not.toContain("Never");
  });

  it.each(["cut=2", "close=2", "only_usage"])(
    "that was cut off has failed, and is not kept: %s",
    async (how) => {
      const { events, tenant } = await stream(`text=Hello over there&${how}`);
      expect(typesOf(events).at(-1)).toBe("failed");
      const last = assembled(events);
      expect(last).toMatchObject({ status: "failed", error: { code: "server_error" } });
      expect(await storedKeys(`${tenant.id}/`)).toEqual([]);
      expect((await tenant.call("GET", `/v1/responses/${last.id}`)).status).toBe(404);
    },
  );

  it("is not kept where the tenant keeps none", async () => {
    const tenant = await aTenant({ response_retention_s: 0 });
    const { events } = await stream("text=Hello there", {}, tenant);
    expect([events[0].response.store, assembled(events).store]).toEqual([false, false]);
    expect(await storedKeys(`${tenant.id}/`)).toEqual([]);
  });

  it("that cannot begin is an error in OpenAI's form", async () => {
    const tenant = await aTenant();
    const body = { model: GEMMA, input: `[[fake:500|${unique()}]]` };
    const { response, ended } = await openStream(tenant.key, body, { path: "/v1/responses" });
    await ended();
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { type: "server_error" } });
  });
});
