import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, readStream, textIn } from "./streams.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";

/** One transparent pixel. */
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

const INSULT = "Go away you useless idiot - you stupid moron!";
const PLAIN = "Please tell me when the museum opens tomorrow morning.";
const PATH = "/v1/chat/completions";

let made = 0;
async function aTenant(policy: object | null = null, settings = {}): Promise<TestTenant> {
  made += 1;
  const tenant = await makeTenant(`guard-${made}`, settings);
  if (policy !== null) {
    const put = await tenant.call("PUT", "/v1/policies/default", policy);
    expect(put.status).toBe(200);
  }
  return tenant;
}

afterEach(() => reset());

const moderation = (input: string, output: string) => ({
  model: "omni-moderation-latest",
  policy: { input: { mode: input }, output: { mode: output } },
});

const chat = (content: string, more: object = {}) => ({
  model: LLAMA,
  messages: [
    { role: "system", content: "You are a patient librarian." },
    { role: "user", content },
  ],
  max_tokens: 60,
  ...more,
});

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

describe("a chat that is not guarded", () => {
  it("holds and says nothing of it", async () => {
    const tenant = await aTenant();
    const { body } = await tenant.call("POST", PATH, chat(INSULT));
    expect(body).not.toHaveProperty("moderation");
    const [line] = await lines(tenant);
    expect(line.items.map(({ stage }: { stage: string }) => stage)).toEqual(["generate"]);
  });
});

describe("a guard that scores", () => {
  it("tells what was found in prompt and answer, and gives the answer", async () => {
    const tenant = await aTenant();
    const body = chat(INSULT, { moderation: { model: "omni-moderation-latest" } });
    const reply = await tenant.call("POST", PATH, body);
    expect(reply.status).toBe(200);
    const { input, output } = reply.body.moderation;
    expect(input).toMatchObject({
      type: "moderation_results",
      model: "omni-moderation-latest",
      results: [
        {
          type: "moderation_result",
          flagged: true,
          neurogate: { decision: "block", coverage: { toxicity: "evaluated" } },
        },
      ],
    });
    expect(output).toMatchObject({ type: "moderation_results" });
    expect(reply.body.choices[0]).toMatchObject({ finish_reason: "stop" });
    expect(reply.body.choices[0].message.content).not.toBeNull();
  });

  it("pays its checks in the call's own line", async () => {
    const tenant = await aTenant();
    const body = chat(PLAIN, { moderation: { model: "omni-moderation-latest" } });
    const reply = await tenant.call("POST", PATH, body);
    const [line, ...others] = await lines(tenant);
    expect(others).toEqual([]);
    const stages = line.items.map(({ stage, content }: { stage: string; content: number }) => [
      stage,
      content,
    ]);
    expect(stages).toEqual([
      ["generate", undefined],
      ["judge", undefined],
      ["judge", undefined],
    ]);
    const sum = line.items.reduce(
      (total: number, item: { micro_neurons: number }) => total + item.micro_neurons,
      0,
    );
    expect(line.micro_neurons).toBe(sum);
    expect(reply.body.neurogate.micro_neurons).toBe(sum);
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe(String(sum));
    expect(line.held_micro_neurons).toBeGreaterThan(sum);
  });

  it("says for each of several answers what was found", async () => {
    const tenant = await aTenant();
    const body = chat(PLAIN, { n: 3, moderation: moderation("score", "score") });
    const reply = await tenant.call("POST", PATH, body);
    expect(reply.body.moderation.input.results).toHaveLength(1);
    expect(reply.body.moderation.output.results).toHaveLength(3);
  });
});

describe("a guard that blocks", () => {
  it("does not send a prompt that is blocked, and charges no generation", async () => {
    const tenant = await aTenant({ guard: { input: "block" } });
    const reply = await tenant.call("POST", PATH, chat(INSULT, { n: 2 }));
    expect(reply.status).toBe(200);
    const { choices, usage, moderation: found } = reply.body;
    expect(choices).toMatchObject([
      { index: 0, finish_reason: "content_filter", message: { content: null } },
      { index: 1, finish_reason: "content_filter", message: { content: null } },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 0, completion_tokens: 0 });
    expect(found.input.results[0].flagged).toBe(true);
    expect(found.output).toMatchObject({ type: "error", code: "not_requested" });
    const [line] = await lines(tenant);
    expect(line.outcome).toBe("posted");
    expect(line.items).toMatchObject([
      { stage: "generate", micro_neurons: 0, model: null },
      { stage: "judge", micro_neurons: line.micro_neurons },
    ]);
  });

  it("lets what is not blocked through", async () => {
    const tenant = await aTenant({ guard: { input: "block", output: "block" } });
    const reply = await tenant.call("POST", PATH, chat(PLAIN));
    expect(reply.body.choices[0].finish_reason).toBe("stop");
    expect(reply.body.moderation.input.results[0].flagged).toBe(false);
  });

  it("takes out an answer that is blocked, and says nothing of it", async () => {
    const tenant = await aTenant();
    const prompt = `[[fake:chat=text=${INSULT}|${unique()}]]`;
    const body = chat(prompt, { moderation: moderation("score", "block") });
    const reply = await tenant.onWorkersAi("POST", PATH, body);
    expect(reply.body.choices[0]).toMatchObject({
      finish_reason: "content_filter",
      message: { content: null },
    });
    expect(JSON.stringify(reply.body)).not.toContain("useless");
    expect(reply.body.moderation.output.results[0].flagged).toBe(true);
    expect(reply.body.usage.completion_tokens).toBeGreaterThan(0);
  });

  it("is the policy's where the call asks for less", async () => {
    const tenant = await aTenant({ guard: { input: "block", output: "off" } });
    const body = chat(INSULT, { moderation: moderation("score", "score") });
    const reply = await tenant.call("POST", PATH, body);
    expect(reply.body.choices[0].finish_reason).toBe("content_filter");
    // The answer's side was asked for, and there was no answer.
    expect(reply.body.moderation.output).toMatchObject({ type: "moderation_results", results: [] });
  });

  it("takes the policy that the call names", async () => {
    const tenant = await aTenant();
    const house = { terms: { block: ["museum"] }, guard: { input: "block" } };
    await tenant.call("PUT", "/v1/policies/house", house);
    const ask = (neurogate: object) => tenant.call("POST", PATH, chat(PLAIN, { neurogate }));
    expect((await ask({})).body.choices[0].finish_reason).toBe("stop");
    const named = await ask({ policy: "house" });
    expect(named.body.choices[0].finish_reason).toBe("content_filter");
    // A term that blocks spares the judge.
    expect(named.body.neurogate.micro_neurons).toBe(0);
    const unknown = await ask({ policy: "nowhere" });
    expect(unknown.status).toBe(400);
    expect(unknown.body.error.param).toBe("policy");
  });

  it.each([
    ["judge=500", "failed"],
    ["judge=3007", "timed_out"],
    ["judge=3040", "failed"],
  ])("withholds what could not be checked: %s", async (behaviour, code) => {
    const ask = async (mode: string, policy: object | null = null) => {
      const tenant = await aTenant(policy);
      const prompt = `${PLAIN} [[fake:${behaviour}|${unique()}]]`;
      const body = chat(prompt, { moderation: moderation(mode, "score") });
      return (await tenant.onWorkersAi("POST", PATH, body)).body;
    };
    const blocked = await ask("block");
    expect(blocked.choices[0].finish_reason).toBe("content_filter");
    expect(blocked.moderation.input).toMatchObject({ type: "error", code });
    const scored = await ask("score");
    expect(scored.choices[0].finish_reason).toBe("stop");
    expect(scored.moderation.input).toMatchObject({ type: "error", code });
    const lax = await ask("block", { on_unavailable: "allow" });
    expect(lax.choices[0].finish_reason).toBe("content_filter");
    expect(lax.moderation.input).toMatchObject({ type: "error", code });
  });

  it.each([
    [{}, "stop"],
    [{ unevaluated: "flag" }, "stop"],
    [{ unevaluated: "block" }, "content_filter"],
    [{ on_unavailable: "block" }, "content_filter"],
    [{ on_unavailable: "block", unevaluated: "allow" }, "stop"],
  ])("of a language that no judge here knows withholds as %j says: %s", async (rules, finish) => {
    const tenant = await aTenant({ guard: { input: "block" }, ...rules });
    const french = "Bonjour, pourriez-vous me dire à quelle heure le musée ouvre demain matin ?";
    const { body } = await tenant.call("POST", PATH, chat(french));
    expect(body.choices[0].finish_reason).toBe(finish);
    // Whatever becomes of it, the reply says that nobody has looked.
    expect(body.moderation.input).toMatchObject({ type: "error", code: "not_evaluated" });
  });

  it("withholds a picture that nothing here can judge", async () => {
    const tenant = await aTenant({ guard: { input: "block" } });
    const content = [
      { type: "text", text: PLAIN },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
    ];
    const messages = [{ role: "user", content }];
    const body = { ...chat(PLAIN), model: GEMMA, messages };
    const reply = await tenant.call("POST", PATH, body);
    expect(reply.body.choices[0].finish_reason).toBe("content_filter");
    expect(reply.body.moderation.input).toMatchObject({ type: "error", code: "not_evaluated" });
    const [line] = await lines(tenant);
    const stages = line.items.map(({ stage }: { stage: string }) => stage);
    expect(stages).toEqual(["generate", "judge", "labels"]);
  });

  it("judges what people and tools have said, not what the caller itself wrote", async () => {
    const harassment = { inputs: ["text"], required: false, flag: 0.7, block: 0.9, ban: null };
    const tenant = await aTenant({ guard: { input: "block" }, categories: { harassment } });
    const ask = async (role: string) => {
      const messages = [
        { role, content: INSULT, ...(role === "tool" && { tool_call_id: "call_1" }) },
        { role: "user", content: PLAIN },
      ];
      const { body } = await tenant.call("POST", PATH, { ...chat(PLAIN), messages });
      return body.choices[0].finish_reason;
    };
    expect(await ask("system")).toBe("stop");
    expect(await ask("assistant")).toBe("stop");
    expect(await ask("user")).toBe("content_filter");
  });
});

describe("a guarded call's hold", () => {
  it("covers the windows of the answer, and grows with max_tokens", async () => {
    const tenant = await aTenant({ guard: { output: "score" } });
    await tenant.call("POST", PATH, chat(PLAIN, { max_tokens: 320 }));
    await tenant.call("POST", PATH, chat(PLAIN, { max_tokens: 321 }));
    const [two, one] = await lines(tenant);
    const difference = two.held_micro_neurons - one.held_micro_neurons;
    // One output token more, and one window of 2,048 tokens with the judge's own prompt.
    expect(difference).toBeGreaterThan(26_128 + 2048 * 13_778);
    expect(difference).toBeLessThan(26_128 + 3248 * 13_778);
  });

  it("is cut to fit with all of its guard", async () => {
    const tenant = await aTenant({ guard: { output: "score" } }, { daily_neurons: 80 });
    const fit = { "x-neurogate-fit": "true" };
    const body = chat(PLAIN, { max_tokens: 4000 });
    expect((await tenant.call("POST", PATH, body)).body.error.kind).toBe("over_limit");
    const reply = await tenant.call("POST", PATH, body, fit);
    expect(reply.status).toBe(200);
    const clamped = Number(reply.headers.get("x-neurogate-clamped-max-tokens"));
    expect(clamped).toBeGreaterThan(0);
    const [line] = await lines(tenant);
    expect(line.held_micro_neurons).toBeLessThanOrEqual(80_000_000);
  });
});

describe("what is asked wrongly", () => {
  it.each([
    [{ model: "gpt-4" }, "moderation.model"],
    [{}, "moderation.model"],
    [{ model: "omni-moderation-latest", policy: { input: { mode: "warn" } } }, "moderation.policy"],
  ])("is told by its field: %j", async (field, param) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", PATH, chat(PLAIN, { moderation: field }));
    expect(reply.status).toBe(400);
    expect(reply.body.error.param).toMatch(new RegExp(`^${param}`));
  });
});

async function stream(text: string, more: object) {
  const tenant = await aTenant();
  const prompt = `[[fake:chat=text=${text}|${unique()}]]`;
  const body = chat(prompt, { max_tokens: 2000, ...more });
  const open = await openStream(tenant.key, body);
  const read = await readStream(open);
  return { tenant, ...read, said: textIn(read) };
}

describe("a guarded stream", () => {
  const FILLER = "The library is open from nine to five on weekdays and the reading room is warm. ";

  it("gives all of an answer that passes, as it was, and what was found", async () => {
    const text = FILLER.repeat(60).trim();
    const { said, chunks, done, tenant } = await stream(text, {
      moderation: moderation("score", "block"),
      stream_options: { include_usage: true },
    });
    expect(said).toBe(text);
    expect(done).toBe(true);
    const found = chunks.find((chunk) => "moderation" in chunk);
    expect(found).toMatchObject({ choices: [], usage: null });
    expect(found.moderation.output.results[0].flagged).toBe(false);
    const [line] = await lines(tenant);
    expect(line.items.length).toBeGreaterThan(3);
    expect(chunks.at(-1).neurogate.micro_neurons).toBe(line.micro_neurons);
  });

  it("lets no word of a window out that is blocked, and ends with content_filter", async () => {
    const text = `${FILLER.repeat(40)}${INSULT} ${FILLER.repeat(30)}`.trim();
    const { said, raw, chunks, done, tenant } = await stream(text, {
      moderation: moderation("score", "block"),
    });
    expect(said.length).toBeGreaterThan(1000);
    expect(text.startsWith(said)).toBe(true);
    expect(raw).not.toContain("idiot");
    const finish = chunks.flatMap(({ choices }) =>
      choices.map((one: { finish_reason: string | null }) => one.finish_reason),
    );
    expect(finish.filter((reason) => reason !== null)).toEqual(["content_filter"]);
    expect(done).toBe(true);
    const [line] = await lines(tenant);
    // The engine was heard to its end: what it used is measured.
    expect(line.items[0]).toMatchObject({ stage: "generate", basis: "measured" });
  });

  it("gives everything where it is only scored", async () => {
    const { said, chunks } = await stream(INSULT, { moderation: moderation("score", "score") });
    expect(said).toBe(INSULT);
    const found = chunks.find((chunk) => "moderation" in chunk);
    expect(found.moderation.output.results[0].flagged).toBe(true);
  });

  it("does not begin where the prompt is withheld", async () => {
    const tenant = await aTenant({ guard: { input: "block" } });
    const open = await openStream(tenant.key, chat(INSULT));
    const read = await readStream(open);
    const { chunks, done } = read;
    expect(textIn(read)).toBe("");
    expect(done).toBe(true);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toContain("content_filter");
    const [line] = await lines(tenant);
    expect(line.items[0]).toMatchObject({ stage: "generate", micro_neurons: 0, model: null });
  });

  it("withholds what is longer than its windows", async () => {
    const text = FILLER.repeat(60).trim();
    const { said, chunks } = await stream(text, {
      max_tokens: 100,
      moderation: moderation("score", "block"),
    });
    expect(said.length).toBeGreaterThan(1000);
    expect(said.length).toBeLessThan(text.length);
    const found = chunks.find((chunk) => "moderation" in chunk);
    expect(found.moderation.output).toMatchObject({ type: "error", code: "not_evaluated" });
  });
});
