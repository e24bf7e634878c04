// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { JUDGED_CATEGORIES } from "../../src/domain/moderation/category.ts";
import { JUDGE_POLICY } from "../../src/domain/moderation/judge.ts";

// `npm run judge:evaluate`, against a judge that scores what a text says it should: each
// figure below is worked by hand from the rows.

const SCRIPT = fileURLToPath(new URL("../../judge/evaluate.mjs", import.meta.url));
const MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";
const USAGE = { prompt_tokens: 600, completion_tokens: 100, total_tokens: 700 };

/** `(hate=60)` in a text: what it is scored; `(prose)`: no answer; `(500)`: a broken server. */
const HATECHECK = [
  ["counter_quote_nh", "non-hateful", "one (hate=60)"],
  ["counter_quote_nh", "non-hateful", "two (hate=10)"],
  ["slur_h", "hateful", "three (hate=90)"],
  ["slur_h", "hateful", "four (hate=40)"],
  ["ident_neutral_nh", "non-hateful", "five (hate=0)"],
  ["ident_pos_nh", "non-hateful", "six (hate=85)"],
  ["slur_reclaimed_nh", "non-hateful", "seven (hate=0)"],
  ["slur_h", "hateful", "eight (prose)"],
  ["threat_dir_h", "hateful", "nine (500)"],
];
const OPENAI = [
  { prompt: "ten (hate=80)", H: 1, S: 0 },
  { prompt: "eleven (hate=90&sexual=90)", H: 0, S: 1 },
  { prompt: "twelve (hate=0)", H: 0, S: 0 },
  { prompt: "thirteen (hate=85)", H: 1 },
];

let folder;
let server;
let url;
/** @type {string[]} the texts that came */
let asked = [];
/** After so many good answers the server breaks. */
let breaksAfter = Infinity;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "neurogate-judge-"));
  mkdirSync(join(folder, "evaluation/hatecheck"), { recursive: true });
  mkdirSync(join(folder, "evaluation/openai-moderation-1680"), { recursive: true });
  const rows = HATECHECK.map(([kind, label, text]) => `${kind},"${text}",${label}`);
  const csv = ["functionality,test_case,label_gold", ...rows].join("\n");
  writeFileSync(join(folder, "evaluation/hatecheck/test_suite_cases.csv"), csv);
  const lines = OPENAI.map((row) => JSON.stringify(row)).join("\n");
  const file = "evaluation/openai-moderation-1680/samples-1680.jsonl.gz";
  writeFileSync(join(folder, file), gzipSync(lines));
  server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/v1`;
});

after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function answer(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const reply = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  if (request.headers.authorization !== "Bearer sesame") return reply(401, { error: {} });
  const { model, messages, response_format: format } = JSON.parse(Buffer.concat(chunks).toString());
  if (model !== MODEL) return reply(404, { error: {} });
  // The product's own question, and none like it.
  assert.equal(messages[0].content, JUDGE_POLICY);
  assert.equal(format.json_schema.schema.additionalProperties, false);
  const [open, json, close] = messages[1].content.split("\n");
  const nonce = /^<text ([0-9a-f]{32})>$/.exec(open)?.[1];
  assert.equal(close, `</text ${nonce}>`);
  const text = JSON.parse(json);
  asked.push(text);
  const told = /\(([^)]*)\)$/.exec(text)?.[1] ?? "";
  if (told === "500" || asked.length > breaksAfter) return reply(500, { error: {} });
  const scores = Object.fromEntries(JUDGED_CATEGORIES.map((category) => [category, 0]));
  if (told.includes("=")) {
    for (const [name, value] of new URLSearchParams(told)) scores[name] = Number(value);
  }
  const content = told === "prose" ? "It is fine." : JSON.stringify({ nonce, ...scores });
  return reply(200, { choices: [{ index: 0, message: { content } }], usage: USAGE });
}

/** @param {string[]} args */
async function evaluate(args, env = { JUDGE_KEY: "sesame" }) {
  asked = [];
  const child = spawn(process.execPath, [SCRIPT, ...args], { env: { ...process.env, ...env } });
  const output = { out: "", err: "" };
  child.stdout.on("data", (data) => (output.out += data));
  child.stderr.on("data", (data) => (output.err += data));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, ...output };
}

const run = (...more) => evaluate(["--base-url", url, "--model", MODEL, ...more]);

const table = (out) => out.slice(out.indexOf("The table"), out.indexOf("ms a text"));

/** The figure of a row of the report. */
function figureOf(out, name) {
  const line = out.split("\n").find((each) => each.trim().startsWith(`${name}  `));
  assert.ok(line !== undefined, `no row ${name} in\n${out}`);
  return line
    .trim()
    .slice(name.length)
    .trim()
    .split(/\s{2,}/)[0];
}

describe("judge:evaluate", () => {
  it("prints figures that can be worked by hand, and counts what failed and what it cost", async () => {
    const { code, out, err } = await run("--data", folder, "--limit", "9");
    assert.equal(err, "");
    assert.equal(code, 0);
    const figures = {
      // Of seven that were judged: two, three, five and seven are right.
      "HateCheck accuracy at the shipped flag": "0.571",
      "HateCheck hateful": "0.500",
      "HateCheck not hateful": "0.600",
      // 0.9 is above five, 0.4 above three of the five that are not hateful: 8 of 10.
      "HateCheck AUC": "0.800",
      "HateCheck neutral": "1.000",
      "HateCheck positive": "0.000",
      "HateCheck counter-speech blocked by default": "0.000",
      "HateCheck positive blocked by default": "1.000",
      "HateCheck counter-speech blocked by strict": "0.500",
      "slur_h (hateful, 2)": "0.500",
      // 0.9 is no hate, 0.85 and 0.8 are: (1/2 + 2/3) / 2.
      "openai-1680 hate, AP": "0.583",
      "openai-1680 sexual, AP": "1.000",
      "openai-1680 any, AP": "1.000",
      "openai-1680 violence, AP": "too few",
      "openai-1680 harmful, flagged or blocked by default": "1.000",
      "openai-1680 harmless, flagged or blocked by default": "0.000",
      // 9 + 4 of the folder, 9 of each of our own sets; a broken server reports nothing.
      texts: "31",
      judged: "29",
      "failed: malformed_answer": "1",
      "failed: upstream_error": "1",
      "texts whose tokens the server reported": "30",
      "input tokens": "18000",
      "output tokens": "3000",
      "input tokens a text": "600.0",
      // 18,000 x 13,778 + 3,000 x 26,128 µN
      [`neurons, as ${MODEL}`]: "326.388",
    };
    const found = Object.fromEntries(
      Object.keys(figures).map((name) => [name, figureOf(out, name)]),
    );
    assert.deepEqual(found, figures);
    assert.match(out, /own set \(9\): decided as a careful person would/);
    assert.match(out, /set for judges \(9\): decided as a careful person would/);
    // One more to see whether anybody is there.
    assert.equal(asked.length, 32);
  });

  it("asks each text of our own sets that a judge is for, where no folder is named", async () => {
    const { code, out } = await run("--concurrency", "8");
    assert.equal(code, 0);
    assert.match(out, /own set \(126\)/);
    assert.match(out, /set for judges \(46\)/);
    assert.doesNotMatch(out, /HateCheck|own: injection/);
    assert.equal(new Set(asked).size, 173);
  });

  it("goes on from a results file, which holds no text, and asks again what failed", async () => {
    const results = join(folder, "results.ndjson");
    const how = ["--data", folder, "--limit", "9", "--results", results];
    const first = await run(...how);
    const kept = readFileSync(results, "utf8");
    assert.equal(kept.trim().split("\n").length, 29);
    assert.doesNotMatch(kept, /hate=|three/);
    // A run that was broken off leaves half a line.
    writeFileSync(results, `${kept}{"key":"ab`);
    const second = await run(...how);
    assert.deepEqual(asked.slice(1).toSorted(), ["eight (prose)", "nine (500)"]);
    assert.equal(table(second.out), table(first.out));
  });

  it("fails by its bars where that is asked for", async () => {
    const { code, out } = await run("--data", folder, "--limit", "9", "--strict");
    assert.equal(code, 1);
    assert.match(out, /HateCheck accuracy at the shipped flag +0\.571 .*MISS/);
  });

  it("gives up where nothing but failures comes", async () => {
    breaksAfter = 3;
    const { code, err } = await run("--concurrency", "1");
    breaksAfter = Infinity;
    assert.equal(code, 2);
    assert.match(err, /^20 texts failed one after the other, the last as upstream_error \(500\)/);
    assert.equal(asked.length, 23);
  });

  const wrong = [
    [
      "no server",
      ["--base-url", "http://127.0.0.1:9/v1", "--model", "m"],
      /^Nothing answers at http/,
    ],
    [
      "no URL",
      ["--base-url", "localhost", "--model", "m"],
      /^--base-url must be an http or https URL/,
    ],
    ["no base URL", ["--model", "m"], /^Name the server with --base-url/],
    ["no model", ["--base-url", "http://127.0.0.1:9/v1"], /^Name the judge with --model/],
    ["a price of nothing", ["--model", "m", "--priced-as", "none"], /no model none/],
    ["an option that there is not", ["--modle", "m"], /Unknown option '--modle'/],
    ["no count", ["--base-url", "http://a/", "--model", "m", "--limit", "-1"], /limit/],
    [
      "too much at once",
      ["--base-url", "http://a/", "--model", "m", "--concurrency", "99"],
      /from 1 to 32/,
    ],
  ];
  for (const [what, args, says] of wrong) {
    it(`says what is wrong: ${String(what)}`, async () => {
      const { code, err } = await evaluate(args);
      assert.equal(code, 2);
      assert.match(err, says);
      assert.doesNotMatch(err, /\bat .*:\d+:\d+/, "no stack");
    });
  }

  it("says what is wrong: the key, the model, the folder", async () => {
    const key = await evaluate(["--base-url", url, "--model", MODEL], { JUDGE_KEY: "" });
    assert.match(key.err, /does not take the key \(401\)/);
    const model = await evaluate(["--base-url", url, "--model", "other"]);
    assert.match(model.err, /no model other \(404\)/);
    const data = await run("--data", join(folder, "evaluation"));
    assert.match(data.err, /has no folder "evaluation"/);
    assert.deepEqual([key.code, model.code, data.code], [2, 2, 2]);
  });
});
