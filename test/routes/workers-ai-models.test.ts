import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// The lists that Cloudflare's client reads.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`search-${unique()}`, { aliases: { mine: LLAMA } });
});

const get = (path: string, of = tenant) =>
  of.call("GET", `/client/v4/accounts/${of.id}/ai/${path}`);

interface Listed {
  readonly name: string;
  readonly properties: readonly { readonly property_id: string; readonly value: unknown }[];
}

const names = async (query: string, of = tenant): Promise<string[]> =>
  (await get(`models/search?${query}`, of)).body.result.map(({ name }: Listed) => name);

describe("the search for models", () => {
  it("has each with its task and its price here, and no alias", async () => {
    const { status, body } = await get(`models/search?search=${encodeURIComponent(LLAMA)}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, errors: [], messages: [] });
    const { length: count } = body.result;
    expect(body.result_info).toEqual({ page: 1, per_page: 50, count, total_count: count });
    const model = body.result.find(({ name }: Listed) => name === LLAMA);
    expect(model).toMatchObject({ name: LLAMA, task: { name: "Text Generation" } });
    const card = (await tenant.call("GET", `/v1/models/${LLAMA}`)).body.neurogate;
    const price = model.properties.find(
      (one: Listed["properties"][0]) => one.property_id === "price",
    );
    expect(price.value).toContainEqual({
      unit: "per M input tokens",
      // Whole µN a token: a million tokens are as many neurons, at USD 0.011 a thousand.
      price: Number(((card.prices.input_token * 0.011) / 1000).toFixed(9)),
      currency: "USD",
    });
    expect(await names("per_page=100")).not.toContain("mine");
  });

  it("comes in pages, of which the one after the last is empty", async () => {
    const all = await names("per_page=100");
    expect(await names("per_page=100&page=&search=&task=&author=")).toEqual(all);
    const paged: string[] = [];
    let page = 1;
    for (let last = -1; last !== 0; page += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const some = await names(`per_page=7&page=${page}`);
      paged.push(...some);
      last = some.length;
    }
    expect(paged.slice(0, all.length)).toEqual(all);
    expect(new Set(paged).size).toBe(paged.length);
  });

  it("is by task, by author, and with retired models where they are wanted", async () => {
    const whisper = await names("task=automatic speech recognition");
    expect(whisper).toContain("@cf/openai/whisper");
    expect(whisper).not.toContain(LLAMA);
    expect(await names("author=openai&task=Translation")).toEqual([]);
    const retired = "@cf/meta/llama-3.1-8b-instruct";
    expect(await names("per_page=100&search=llama-3.1")).not.toContain(retired);
    const older = await names("per_page=100&search=llama-3.1&include_deprecated=true");
    expect(older).toContain(retired);
  });

  it("names only what the tenant may call", async () => {
    const few = await makeTenant(`search-few-${unique()}`, { models: [LLAMA] });
    expect(await names("", few)).toEqual([LLAMA]);
    const { body } = await get("tasks/search", few);
    expect(body.result.map(({ name }: { name: string }) => name)).toEqual(["Text Generation"]);
  });

  it.each(["page=0", "per_page=101", "page=x", "include_deprecated=yes"])(
    "refuses %s in Cloudflare's shape",
    async (query) => {
      const { status, body } = await get(`models/search?${query}`);
      expect([status, body.success]).toEqual([400, false]);
    },
  );
});

const inputOf = async (model: string, of = tenant) => {
  const { status, body } = await get(`models/schema?model=${encodeURIComponent(model)}`, of);
  expect([status, body.success, body.result.output]).toEqual([200, true, {}]);
  return body.result.input;
};

describe("the schema of a model", () => {
  it("is the body that it takes here, by its task", async () => {
    const chat = await inputOf(LLAMA);
    expect(chat.type).toBe("object");
    expect(Object.keys(chat.properties)).toEqual(
      expect.arrayContaining(["prompt", "messages", "max_tokens", "tools"]),
    );
    expect(await inputOf("workers-ai/@cf/baai/bge-reranker-base")).toMatchObject({
      required: ["query", "contexts"],
    });
    expect(await inputOf("@cf/black-forest-labs/flux-1-schnell")).toMatchObject({
      properties: { prompt: { type: "string", minLength: 1 } },
      required: ["prompt"],
    });
    expect(await inputOf("@cf/myshell-ai/melotts")).toMatchObject({ required: ["prompt"] });
    expect(await inputOf("@cf/deepgram/aura-1")).toMatchObject({ required: ["text"] });
  });

  it("can be had for every model of the list that is run here", async () => {
    const { body } = await get("models/search?per_page=100");
    const tasks = new Map<string, string>(
      body.result.map((one: { name: string; task: { id: string } }) => [one.name, one.task.id]),
    );
    expect(tasks.size).toBeGreaterThan(20);
    for (const [name, task] of tasks) {
      const isRun = !["other", "summarization"].includes(task);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const schema = await get(`models/schema?model=${name}`);
      expect([schema.status, Boolean(schema.body.result?.input.properties)], name).toEqual(
        isRun ? [200, true] : [501, false],
      );
    }
  });

  it("is not told of a model that the tenant may not call, or that nobody knows", async () => {
    const few = await makeTenant(`schema-few-${unique()}`, { models: [LLAMA] });
    const whisper = await get("models/schema?model=@cf/openai/whisper", few);
    expect([whisper.status, whisper.body.success]).toEqual([404, false]);
    expect((await get("models/schema?model=@cf/a/b")).status).toBe(404);
    expect((await get("models/schema?model=mine")).status).toBe(404);
    expect((await get("models/schema")).status).toBe(400);
  });
});

it("no format is turned into Markdown", async () => {
  const { status, body } = await get("tomarkdown/supported");
  expect([status, body.success, body.result]).toEqual([200, true, []]);
});
