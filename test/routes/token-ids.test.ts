import { beforeAll, describe, expect, it } from "vitest";
import { TokenTable } from "../../src/domain/text/token-table.ts";
import { CL100K, textsIn } from "../../src/edge/token-texts.ts";
import { modelLoader } from "../../src/io/model-asset.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// Token ids as a client sends them that counts tokens by itself. The ids are tiktoken's.

const SMALL = "@cf/baai/bge-small-en-v1.5";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const OPENAI = "text-embedding-3-small";
const EMBEDDINGS = "/v1/embeddings";

const TEXTS = ["Hello, world!", "Grüße an 你好 🦊", "  if (a < 10) {\n    return;\n  }\n"];
const IDS = [
  [9906, 11, 1917, 0],
  [6600, 2448, 24352, 459, 220, 57668, 53901, 11410, 99, 232],
  [220, 422, 320, 64, 366, 220, 605, 8, 341, 262, 471, 280, 220, 457],
];

let tenant: TestTenant;
beforeAll(async () => {
  const aliases = { [OPENAI]: SMALL, "gpt-3.5-turbo-instruct": LLAMA };
  tenant = await makeTenant(`tokens-${unique()}`, { aliases, daily_neurons: 9000 });
});

const vectorsOf = async (input: unknown) => {
  const { status, body } = await tenant.call("POST", EMBEDDINGS, { model: OPENAI, input });
  expect(status).toBe(200);
  return body.data.map(({ embedding }: { embedding: readonly number[] }) => embedding);
};

const refused = async (path: string, body: object) => {
  const reply = await tenant.call("POST", path, body);
  return [reply.status, reply.body.error.param, reply.body.error.message];
};

const costOf = async (input: unknown) =>
  (await tenant.call("POST", EMBEDDINGS, { model: OPENAI, input })).body.neurogate.micro_neurons;

describe("token ids", () => {
  it("are embedded as the texts that they stand for", async () => {
    expect(await vectorsOf(IDS)).toEqual(await vectorsOf(TEXTS));
    expect(await vectorsOf(IDS[1])).toEqual([(await vectorsOf(TEXTS))[1]]);
  });

  it("cost what the text costs", async () => {
    expect(await costOf(IDS)).toBe(await costOf(TEXTS));
  });

  it("are a prompt of the older completions", async () => {
    const model = "gpt-3.5-turbo-instruct";
    const answerTo = async (prompt: unknown) => {
      const reply = await tenant.call("POST", "/v1/completions", { model, prompt, seed: 7 });
      expect(reply.status).toBe(200);
      return [reply.body.choices[0].text, reply.body.usage.prompt_tokens];
    };
    const asText = await answerTo(TEXTS[0]);
    expect(await answerTo(IDS[0])).toEqual(asText);
    expect(await answerTo([IDS[0]])).toEqual(asText);
  });

  it("without a text are refused by their place", async () => {
    const special = 100_257;
    const cases = [
      [[9906, special], "input[1]"],
      [[[9906], [11, special]], "input[1][1]"],
      [[-1], "input[0]"],
      [[1.5], "input[0]"],
      [[[]], "input[0]"],
      [[9906, "x"], "input"],
      [[[9906], "x"], "input"],
    ] as const;
    for (const [input, place] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [status, param, message] = await refused(EMBEDDINGS, { model: OPENAI, input });
      expect([status, String(param).startsWith(place.split("[")[0] ?? "")]).toEqual([400, true]);
      expect(`${param} ${message}`).toContain(place);
    }
  });

  it("that would become a longer text than a body may be are refused", async () => {
    // One token of 83 blanks: 40,000 of them are 3 MB.
    const input = Array.from({ length: 40_000 }, () => 52_575);
    const [status, param, message] = await refused(EMBEDDINGS, { model: OPENAI, input });
    expect([status, param]).toEqual([400, "input"]);
    expect(message).toContain("bytes of text");
  });

  it("of a model with another vocabulary are refused, with what to send instead", async () => {
    for (const [path, body] of [
      [EMBEDDINGS, { model: SMALL, input: IDS }],
      ["/v1/completions", { model: LLAMA, prompt: IDS[0] }],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [status, param, message] = await refused(path, body);
      expect([status, param]).toEqual([400, "input" in body ? "input" : "prompt"]);
      expect(message).toContain("text-embedding-3-small");
    }
  });

  it("cannot be read without the vocabulary's file", async () => {
    const loader = modelLoader(CL100K, (bytes) => TokenTable.read(bytes));
    const missing = {
      fetch: async () => new Response(null, { status: 404 }),
    } as unknown as Fetcher;
    expect(await textsIn("input", IDS, missing, loader)).toEqual({ kind: "unavailable" });
    expect(await textsIn("input", TEXTS, missing, loader)).toEqual({ kind: "texts", texts: TEXTS });
  });
});
