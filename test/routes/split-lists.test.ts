import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type Reply, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { env } from "cloudflare:workers";

// Lists that are longer than one engine call takes: they are split, under one hold and on one line.

const RERANKER = "@cf/baai/bge-reranker-base";
const INDIC = "@cf/ai4bharat/indictrans2-en-indic-1B";

let tenant: TestTenant;
beforeAll(async () => {
  // An Indian text is held at 256 tokens of 31,050 µN: 120 of them are 950 neurons.
  tenant = await makeTenant(`split-${unique()}`, { daily_neurons: 9000 });
});

const run = (model: string, body: unknown): Promise<Reply> =>
  tenant.onWorkersAi("POST", `/client/v4/accounts/${tenant.id}/ai/run/${model}`, body);

const newestLine = async () => (await tenant.call("GET", "/v1/ledger")).body.data[0];

/** The inputs of the engine's calls. */
async function askedAbout(match: string): Promise<readonly Record<string, unknown>[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: readonly { readonly inputs: Record<string, unknown> }[] = await (
    await fetch(url)
  ).json();
  return requests.map(({ inputs }) => inputs);
}

const marker = (behaviour: string): string => `[[fake:${behaviour}|${unique()}]]`;
const numbered = (count: number, of: (at: number) => string): string[] =>
  Array.from({ length: count }, (_, at) => of(at));

const rankingCost = async (contexts: readonly object[]): Promise<number> =>
  (await run(RERANKER, { query: "harbour", contexts })).body.neurogate.micro_neurons;

describe("contexts to rank", () => {
  /** The engine's stand-in scores a context by its length: here by its place, the last best. */
  const contexts = numbered(250, (at) => "x".repeat(at + 1)).map((text) => ({ text }));

  it("are ranked over all calls, the best first, each by its place in the list", async () => {
    const query = unique();
    const reply = await run(RERANKER, { query, contexts });
    expect(reply.status).toBe(200);
    const ids = reply.body.result.response.map(({ id }: { id: number }) => id);
    expect(ids).toEqual(numbered(250, String).map(Number).toReversed());
    const asked = (await askedAbout(query)).map(({ contexts: part }) => part);
    expect(asked).toHaveLength(3);
    expect(asked.map((part) => (part as unknown[]).length)).toEqual(
      expect.arrayContaining([100, 100, 50]),
    );
    const line = await newestLine();
    expect(line.items).toHaveLength(1);
    expect(line.micro_neurons).toBe(reply.body.neurogate.micro_neurons);
  });

  it("are cut to the best of all, and no call is asked for more than it has", async () => {
    const query = unique();
    const reply = await run(RERANKER, { query, contexts: contexts.slice(0, 130), top_k: 40 });
    const ids = reply.body.result.response.map(({ id }: { id: number }) => id);
    expect(ids).toEqual(numbered(40, (at) => `${129 - at}`).map(Number));
    const asked = (await askedAbout(query)).map(({ top_k }) => Number(top_k));
    expect(asked.toSorted((a, b) => a - b)).toEqual([30, 40]);
  });

  it("cost what they cost apart", async () => {
    const parts = [contexts.slice(0, 100), contexts.slice(100, 200), contexts.slice(200)];
    const [whole, ...apart] = await Promise.all([rankingCost(contexts), ...parts.map(rankingCost)]);
    expect(whole).toBe(apart.reduce((sum, each) => sum + each, 0));
  });

  it("of a call that was refused cost nothing; of one that answered, what it cost", async () => {
    const first = await run(RERANKER, { query: "harbour", contexts: contexts.slice(0, 100) });
    const refused = contexts.slice(0, 101).with(100, { text: marker("5007") });
    const reply = await run(RERANKER, { query: "harbour", contexts: refused });
    expect(reply.status).not.toBe(200);
    const line = await newestLine();
    expect(line.micro_neurons).toBe(first.body.neurogate.micro_neurons);
    expect(line.items).toHaveLength(1);
    expect(line.held_micro_neurons).toBeGreaterThan(line.micro_neurons);
  });
});

describe("texts to translate", () => {
  it("come back in order, from several calls under one hold and on one line", async () => {
    const id = unique();
    const text = numbered(120, (at) => `${at} ${id}`);
    const reply = await run(INDIC, { text, target_language: "tam_Taml" });
    expect(reply.status).toBe(200);
    expect(reply.body.result.translations).toEqual(text.map((each) => `tam_Taml: ${each}`));
    const asked = (await askedAbout(id)).map((inputs) => inputs["text"]);
    expect(asked).toHaveLength(2);
    expect(asked).toEqual(expect.arrayContaining([text.slice(0, 100), text.slice(100)]));
    const line = await newestLine();
    expect(line.items).toHaveLength(1);
    expect(line.micro_neurons).toBe(reply.body.neurogate.micro_neurons);
  });

  it("of which a part fails are charged at what ran, and no more", async () => {
    const whole = numbered(100, (at) => `${at}`);
    const alone = await run(INDIC, { text: whole, target_language: "hi" });
    const bad = [marker("fewer"), "b"];
    const failed = await run(INDIC, { text: bad, target_language: "hi" });
    expect([alone.status, failed.status]).toEqual([200, 502]);
    const { held_micro_neurons: heldOfBad } = await newestLine();
    const reply = await run(INDIC, { text: [...whole, ...bad], target_language: "hi" });
    expect(reply.status).toBe(502);
    // The part without a usable answer may have run: it is charged at its own bound.
    const line = await newestLine();
    expect(line.micro_neurons).toBe(alone.body.neurogate.micro_neurons + heldOfBad);
    expect(line.items).toMatchObject([{ basis: "held" }]);
  });
});
