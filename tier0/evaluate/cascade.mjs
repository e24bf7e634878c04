import { parseArgs } from "node:util";
import { anyScore, requiredOfText } from "../../src/domain/moderation/cascade.ts";
import { CATALOGUE, priceOf } from "../../src/domain/catalogue/catalogue.ts";
import { upperBound } from "../../src/domain/moderation/calibration.ts";
import { ANSWER_TOKENS } from "../../src/domain/moderation/stage.ts";
import { JUDGE_PROMPT_TOKENS } from "../../src/domain/moderation/judge.ts";
import { presetPolicy } from "../../src/domain/moderation/presets.ts";
import { judgeText } from "../../src/engines/embedded/text-model.ts";
import { readExamples, thresholdsOf } from "../../src/moderation/calibrate.ts";
import { loadModel } from "./load-model.mjs";
import { numbers } from "./numbers.mjs";
import * as sets from "./sets.mjs";

// npm run tier0:cascade -- --data <folder>
//
// Measures what a tenant saves if it calibrates the text model on its labelled texts. The texts are
// OpenAI's 1,680 prompts, in 20 divisions. Each division chooses and measures thresholds on one half, as
// `POST /v1/policies/calibrate` does, and applies them to the other half.

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (values.data === undefined) {
  console.error("Name the folder of data with --data (tier0/DATA.md).");
  process.exit(2);
}

const DIVISIONS = 20;
const CONFIDENCE = 0.95;
const CHARACTERS_PER_TOKEN = 4.5;

const { model } = loadModel(undefined);
const policy = presetPolicy("default", "workers-ai");
const LABELS = {
  S: "sexual",
  S3: "sexual/minors",
  H: "hate",
  H2: "hate/threatening",
  HR: "harassment",
  SH: "self-harm",
  V: "violence",
  V2: "violence/graphic",
};
const required = requiredOfText(policy);
const examples = sets.openAi(values.data).map((row) => ({
  text: row.prompt,
  labels: {
    // A category without a label in the set counts as harmless.
    ...Object.fromEntries(required.map((category) => [category, false])),
    ...Object.fromEntries(
      Object.entries(LABELS).map(([name, category]) => [category, row[name] === 1]),
    ),
  },
}));
const made = await readExamples((text) => judgeText(text, async () => model), policy, examples);
if (made === null) throw new Error("the model is not there");
const { counts, read } = made;
const isHarmful = ({ labels }) => Object.values(labels).includes(true);

const judge = CATALOGUE.get(policy.models.judge ?? "");
if (judge === undefined) throw new Error("the catalogue has no such judge");
const costOf = (text) =>
  priceOf(judge, {
    input_token: JUDGE_PROMPT_TOKENS + Math.ceil(text.length / CHARACTERS_PER_TOKEN),
    output_token: ANSWER_TOKENS,
  }) / 1e6;
const plain = examples.reduce((sum, { text }) => sum + costOf(text), 0) / examples.length;

function divided(seed) {
  const random = numbers(seed);
  const lots = new Map(read.map(({ text }) => [text, random()]));
  const lot = (text) => lots.get(text) ?? 0;
  return {
    own: read.filter(({ text }) => lot(text) < 0.5),
    others: read.filter(({ text }) => lot(text) >= 0.5),
    half: (text) => (lot(text) < 0.25 ? "choose" : "measure"),
  };
}

function measured(seed, maxMissRate) {
  const { own, others, half } = divided(seed);
  const { any } = thresholdsOf(policy, own, { maxMissRate, confidence: CONFIDENCE }, half);
  const [allow, block] = [any.allowBelow.threshold ?? 0, any.blockAbove.threshold ?? 2];
  const isBlocked = (one) => anyScore(one.scores) >= block;
  const isAllowed = (one) => !isBlocked(one) && anyScore(one.scores) < allow;
  const harmful = others.filter(isHarmful);
  const harmless = others.filter((one) => !isHarmful(one));
  return {
    found: [any.allowBelow.threshold !== null, any.blockAbove.threshold !== null],
    allowed: others.filter(isAllowed).length,
    blocked: others.filter(isBlocked).length,
    texts: others.length,
    missed: harmful.filter(isAllowed).length,
    harmful: harmful.length,
    wrong: harmless.filter(isBlocked).length,
    harmless: harmless.length,
    cost: others
      .filter((one) => !isAllowed(one) && !isBlocked(one))
      .reduce((sum, { text }) => sum + costOf(text), 0),
  };
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const line = (cells) => console.log(`| ${cells.join(" | ")} |`);

console.log(
  `${counts.used} of ${counts.received} texts are read by the model; ${read.filter(isHarmful).length} are harmful.`,
);
console.log(`The plain pipeline costs ${plain.toFixed(2)} neurons a verdict.\n`);
const titles = [
  "rate asked for",
  "thresholds found (allow, block)",
  "decided without a judge",
  "harmful texts passed",
  `at most, at ${CONFIDENCE * 100} %`,
  "harmless texts blocked",
  "neurons a verdict",
];
line(titles);
line(titles.map(() => "---"));
for (const rate of [0.02, 0.04, 0.08]) {
  const all = Array.from({ length: DIVISIONS }, (_, at) => measured(at + 1, rate));
  const sum = (field) => all.reduce((total, one) => total + one[field], 0);
  const mean = (field) => Math.round(sum(field) / DIVISIONS);
  line([
    percent(rate),
    [0, 1].map((side) => all.filter(({ found }) => found[side]).length).join(" and ") +
      ` of ${DIVISIONS}`,
    `${percent((sum("allowed") + sum("blocked")) / sum("texts"))} (${percent(sum("allowed") / sum("texts"))} passed, ${percent(sum("blocked") / sum("texts"))} blocked)`,
    percent(sum("missed") / sum("harmful")),
    // The divisions share texts, so the bound is that of one division.
    percent(upperBound(mean("missed"), mean("harmful"), CONFIDENCE)),
    percent(sum("wrong") / sum("harmless")),
    (sum("cost") / sum("texts")).toFixed(2),
  ]);
}
