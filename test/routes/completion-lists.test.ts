import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { admin, makeTenant, type TestTenant } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";
import { openStream, readStream } from "./streams.ts";

// Lists of prompts: one call, whose answers stand in the order of the prompts.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const PATH = "/v1/completions";

let tenant: TestTenant;
beforeAll(async () => {
  const rpm = { requests: 2000, text_generation: 2000 };
  tenant = await makeTenant(`prompts-${unique()}`, { daily_neurons: 9000, rpm });
  // Its lists are more than an account takes in a minute.
  await admin("PATCH", "/admin/account", { rpm: { text_generation: 2000 } });
});

const newestLine = async () => (await tenant.call("GET", "/v1/ledger")).body.data[0];

const says = (behaviour: string): string => `[[fake:${behaviour}|${unique()}]]`;

const prompts = (count: number): string[] => Array.from({ length: count }, (_, at) => `${at}`);

const complete = (body: object) => tenant.onWorkersAi("POST", PATH, { model: GEMMA, ...body });

describe("a list of prompts", () => {
  it("is answered in order, n to each, on one line with the usage of all", async () => {
    const prompt = [says("text=one&usage=10/2"), says("text=two&usage=20/3")];
    const { status, body } = await complete({ prompt, n: 2 });
    expect(status).toBe(200);
    const told = body.choices.map(({ index, text }: { index: number; text: string }) => [
      index,
      text,
    ]);
    expect(told).toEqual([
      [0, "one"],
      [1, "one"],
      [2, "two"],
      [3, "two"],
    ]);
    expect(body.usage).toMatchObject({ prompt_tokens: 60, completion_tokens: 10 });
    const line = await newestLine();
    expect(line.items).toMatchObject([{ units: { input_token: 60, output_token: 10 } }]);
    expect(line.micro_neurons).toBe(body.neurogate.micro_neurons);
  });

  it("holds what its prompts would hold apart, and costs the same", async () => {
    const prompt = ["a", "b".repeat(300)].map((text) => text + says("text=x&usage=9/1"));
    const apart = [];
    for (const each of prompt) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await complete({ prompt: each });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      apart.push(await newestLine());
    }
    await complete({ prompt });
    const whole = await newestLine();
    for (const part of ["held_micro_neurons", "micro_neurons"]) {
      expect(whole[part], part).toBe(apart[0][part] + apart[1][part]);
    }
    expect(apart[0].held_micro_neurons).toBeLessThan(apart[1].held_micro_neurons);
  });

  it("of which one is refused is charged at what the others used", async () => {
    const prompt = [says("text=one&usage=10/2"), says("5007"), says("text=two&usage=20/3")];
    const { status } = await complete({ prompt });
    expect(status).not.toBe(200);
    const line = await newestLine();
    expect(line.items).toMatchObject([{ units: { input_token: 30, output_token: 5 } }]);
    expect(line.micro_neurons).toBeLessThan(line.held_micro_neurons);
  });

  it("is streamed, each chunk with the index of its answer", async () => {
    const prompt = [says("words=3&usage=10/3"), says("text=last&usage=20/1")];
    const body = { model: GEMMA, prompt, n: 2, stream_options: { include_usage: true } };
    const { chunks, done } = await readStream(await openStream(tenant.key, body, { path: PATH }));
    expect(done).toBe(true);
    const texts = ["", "", "", ""];
    const ends: number[] = [];
    for (const { choices } of chunks.slice(0, -1)) {
      expect(choices).toHaveLength(1);
      const [{ index, text, finish_reason: reason }] = choices;
      texts[index] += text;
      if (reason !== null) ends.push(index);
    }
    expect(texts).toEqual(["w0 w1 w2", "w0 w1 w2", "last", "last"]);
    expect(ends.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 60, completion_tokens: 8 },
    });
    expect((await newestLine()).items).toMatchObject([
      { units: { input_token: 60, output_token: 8 } },
    ]);
  });

  it("is sent with fewer blanks where the tenant wants that, each prompt by itself", async () => {
    const sparing = await makeTenant(`sparing-${unique()}`, { compact_prompts: true });
    const ids = [unique(), unique()];
    const prompt = ids.map((id) => `The    harbour${" ".repeat(200)} ${id}`);
    await sparing.onWorkersAi("POST", PATH, { model: GEMMA, prompt });
    const sent = await Promise.all(ids.map(inputsAbout));
    for (const [at, id] of ids.entries()) {
      expect(sent[at]).toMatchObject([{ messages: [{ content: `The harbour ${id}` }] }]);
    }
    const { data } = (await sparing.call("GET", "/v1/ledger")).body;
    const alone = { model: GEMMA, prompt: `The harbour ${ids[0]}` };
    await sparing.onWorkersAi("POST", PATH, alone);
    const [single] = (await sparing.call("GET", "/v1/ledger")).body.data;
    expect(data[0].held_micro_neurons).toBe(2 * single.held_micro_neurons);
  });

  it("may be lists of token ids where their vocabulary is known", async () => {
    const named = await makeTenant(`named-${unique()}`, {
      aliases: { "gpt-3.5-turbo-instruct": LLAMA },
    });
    const asked = async (prompt: unknown) => {
      const body = { model: "gpt-3.5-turbo-instruct", prompt, seed: 7 };
      const reply = await named.call("POST", PATH, body);
      expect(reply.status).toBe(200);
      return [reply.body.choices, reply.body.usage];
    };
    // The ids are tiktoken's.
    const ids = [
      [9906, 11, 1917, 0],
      [15339, 1917],
    ];
    expect(await asked(ids)).toEqual(await asked(["Hello, world!", "hello world"]));
  });

  it("has at most 128 answers", async () => {
    for (const [body, said] of [
      [{ prompt: prompts(129) }, "128"],
      [{ prompt: prompts(65), n: 2 }, "at most 64 prompts with n 2"],
      [{ prompt: [] }, "empty"],
      [{ prompt: ["a", ""] }, ""],
      [{ prompt: ["a", 1] }, ""],
      [{ prompt: prompts(100), logprobs: 3, max_tokens: 2000 }, "2621 with 100 answers"],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await complete(body);
      expect(reply.status, JSON.stringify(body)).toBe(400);
      expect(reply.body.error.param).toMatch(/^(prompt|logprobs)/);
      expect(reply.body.error.message).toContain(said);
    }
    const most = await tenant.call("POST", PATH, {
      model: LLAMA,
      prompt: prompts(128).map((at) => `Lena keeps ${at} bees. Who keeps bees?`),
    });
    expect([most.status, most.body.choices?.length]).toEqual([200, 128]);
    expect(most.body.choices[77].text).toContain("77");
  });

  it("is another question to the cache where its last prompt differs", async () => {
    const caching = await makeTenant(`caching-${unique()}`, { cache_ttl_s: 3600 });
    const first = says("text=one");
    const asked = async (last: string) => {
      const body = { model: GEMMA, prompt: [first, last], temperature: 0, n: 2 };
      const reply = await caching.onWorkersAi("POST", PATH, body);
      return [reply.headers.get("x-neurogate-cache"), reply.body.choices[3].text];
    };
    const [two, three] = [says("text=two"), says("text=three")];
    expect(await asked(two)).toEqual(["miss", "two"]);
    expect(await asked(three)).toEqual(["miss", "three"]);
    expect(await asked(two)).toEqual(["hit", "two"]);
  });
});

async function inputsAbout(match: string): Promise<readonly unknown[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: readonly { readonly inputs: unknown }[] = await (await fetch(url)).json();
  return requests.map(({ inputs }) => inputs);
}

describe("a guarded list of prompts", () => {
  it("is withheld as a whole where one prompt is blocked", async () => {
    const guarded = await makeTenant(`guarded-${unique()}`);
    const policy = { terms: { block: ["clocks"] }, guard: { input: "block" } };
    expect((await guarded.call("PUT", "/v1/policies/default", policy)).status).toBe(200);
    const fine = says("text=fine");
    const prompt = [fine, "Who repairs clocks?"];
    const { body } = await guarded.onWorkersAi("POST", PATH, { model: GEMMA, prompt });
    const withheld = { text: "", finish_reason: "content_filter" };
    expect(body.choices).toMatchObject([
      { ...withheld, index: 0 },
      { ...withheld, index: 1 },
    ]);
    expect(await askedAbout(fine)).toEqual([]);
  });

  it("has as many windows of answers as the hold of a call may name", async () => {
    const rpm = { text_classification: 5000, text_generation: 5000 };
    const settings = { plan: "paid", daily_neurons: 900_000, overage_cap_neurons: 0, rpm };
    const guarded = await makeTenant(`windows-${unique()}`, settings);
    const policy = { guard: { output: "block" } };
    expect((await guarded.call("PUT", "/v1/policies/default", policy)).status).toBe(200);
    const prompt = prompts(128);
    const asked = { model: LLAMA, prompt, max_tokens: 50_000 };
    const { status, body } = await guarded.call("POST", PATH, asked);
    expect([status, body.error.param]).toEqual([400, "max_tokens"]);
    expect(body.error.message).toContain("1024 windows");
    // So many answers are refused for what they would hold, which is what a platform may raise.
    const shorter = await guarded.call("POST", PATH, { ...asked, max_tokens: 2000 });
    expect(shorter.body.error.code).toBe("over_limit");
  });

  it("has each answer judged by itself", async () => {
    const guarded = await makeTenant(`judged-${unique()}`);
    const policy = { terms: { block: ["clocks"] }, guard: { output: "block" } };
    expect((await guarded.call("PUT", "/v1/policies/default", policy)).status).toBe(200);
    const prompt = [says("text=She keeps bees"), says("text=He repairs clocks")];
    const asked = { model: GEMMA, prompt, max_tokens: 400 };
    const { body } = await guarded.onWorkersAi("POST", PATH, asked);
    expect(body.choices).toMatchObject([
      { text: "She keeps bees", finish_reason: "stop" },
      { text: "", finish_reason: "content_filter" },
    ]);
  });
});
