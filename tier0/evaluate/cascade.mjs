import { parseArgs } from "node:util";
import { toCalibration } from "../../src/api/native/calibration.ts";
import { cascadeOf, requiredOfText } from "../../src/domain/moderation/cascade.ts";
import { CATALOGUE, priceOf } from "../../src/domain/catalogue/catalogue.ts";
import { upperBound } from "../../src/domain/moderation/calibration.ts";
import { ANSWER_TOKENS } from "../../src/domain/moderation/stage.ts";
import { JUDGE_PROMPT_TOKENS } from "../../src/domain/moderation/judge.ts";
import { presetPolicy } from "../../src/domain/moderation/presets.ts";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../src/domain/moderation/text-model.ts";
import { judgeText } from "../../src/engines/embedded/text-model.ts";
import { readExamples, thresholdsOf } from "../../src/moderation/calibrate.ts";
import { loadModel } from "./load-model.mjs";
import { numbers } from "./numbers.mjs";
import * as sets from "./sets.mjs";

// npm run tier0:cascade -- --data <folder>
//
// Measures what a tenant saves if it calibrates the text model on its labelled texts. The texts are
// OpenAI's 1,680 prompts, in 20 divisions. Each division chooses and measures thresholds on one half, as
// `POST /v1/policies/calibrate` does, and applies them to the other half: those of the categories alone,
// those of `any` alone, and both, as the reply's `tier0` has them.

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (values.data === undefined) {
  console.error("Name the folder of data with --data (tier0/DATA.md).");
  process.exit(2);
}

const DIVISIONS = 20;
const CONFIDENCE = 0.95;
const CHARACTERS_PER_TOKEN = 4.5;
/** Characters of a short comment, for which the cost is printed too. */
const SHORT = 300;

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
const isHarmful = ({ labels }) => required.some((category) => labels[category]);

const judge = CATALOGUE.get(policy.models.judge ?? "");
if (judge === undefined) throw new Error("the catalogue has no such judge");
const neurons = (usage) => priceOf(judge, usage) / 1e6;
const tokensOf = (characters) => Math.ceil(characters / CHARACTERS_PER_TOKEN);
const costOf = (characters) =>
  neurons({
    input_token: JUDGE_PROMPT_TOKENS + tokensOf(characters),
    output_token: ANSWER_TOKENS,
  });
const mean = (of) => examples.reduce((sum, { text }) => sum + of(text.length), 0) / examples.length;

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

/** The thresholds that a calibration finds, as its reply has them: of each category, and of `any`. */
function calibratedOn({ own, half }, maxMissRate) {
  const terms = { maxMissRate, confidence: CONFIDENCE };
  const heads = thresholdsOf(policy, own, terms, half);
  const found = { model: TEXT_MODEL, examples: counts, heads, categories: required };
  const { tier0 } = toCalibration({ name: "default", version: 1 }, terms, found, null);
  const { any, ...each } = tier0?.thresholds ?? {};
  return { "by category": each, any: any === undefined ? {} : { any }, both: { ...each, any } };
}

/** What thresholds decide of texts that they were not found on. */
function measured(thresholds, others) {
  const tier0 = { model: TEXT_MODEL, thresholds };
  const decided = others.map((one) => {
    const stage = { model: TEXT_MODEL, status: "evaluated", scores: one.scores };
    return { ...one, decision: cascadeOf({ ...policy, tier0 }, stage)?.kind ?? null };
  });
  const harmful = decided.filter(isHarmful);
  const harmless = decided.filter((one) => !isHarmful(one));
  const found = Object.values(thresholds).filter((one) => one !== undefined);
  return {
    allow: found.some(({ allow_below }) => allow_below !== null) ? 1 : 0,
    block: found.some(({ block_above }) => block_above !== null) ? 1 : 0,
    allowed: decided.filter(({ decision }) => decision === "allow").length,
    blocked: decided.filter(({ decision }) => decision === "block").length,
    texts: decided.length,
    missed: harmful.filter(({ decision }) => decision === "allow").length,
    harmful: harmful.length,
    wrong: harmless.filter(({ decision }) => decision === "block").length,
    harmless: harmless.length,
    cost: decided
      .filter(({ decision }) => decision === null)
      .reduce((sum, { text }) => sum + costOf(text.length), 0),
  };
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const line = (cells) => console.log(`| ${cells.join(" | ")} |`);

const parts = {
  instructions: neurons({ input_token: JUDGE_PROMPT_TOKENS }),
  text: mean((characters) => neurons({ input_token: tokensOf(characters) })),
  answer: neurons({ output_token: ANSWER_TOKENS }),
};
const [plain, instructions, text, answer, short] = [
  mean(costOf),
  ...Object.values(parts),
  costOf(SHORT),
].map((amount) => amount.toFixed(2));
console.log(
  `${counts.used} of ${counts.received} texts are read by the model; ${read.filter(isHarmful).length} are harmful.`,
);
console.log(
  `The plain pipeline costs ${plain} neurons a verdict: ${instructions} for the instructions (${JUDGE_PROMPT_TOKENS} tokens, their bound), ${text} for the text (${mean((length) => length).toFixed(0)} characters on average), ${answer} for the answer (${ANSWER_TOKENS} tokens). A text of ${SHORT} characters costs ${short}.`,
);
const named = TEXT_MODEL_CATEGORIES.map(
  (category) => `${category} ${read.filter(({ labels }) => labels[category]).length}`,
);
console.log(`Harmful texts by category that the model has a head for: ${named.join(", ")}.\n`);
const titles = [
  "rate asked for",
  "thresholds",
  "divisions with one (allow, block)",
  "decided without a judge",
  "harmful texts passed",
  `at most, at ${CONFIDENCE * 100} %`,
  "harmless texts blocked",
  "neurons a verdict",
];
line(titles);
line(titles.map(() => "---"));
for (const rate of [0.02, 0.04, 0.08]) {
  const divisions = Array.from({ length: DIVISIONS }, (_, at) => divided(at + 1));
  const found = divisions.map((division) => calibratedOn(division, rate));
  for (const kind of ["by category", "any", "both"]) {
    const all = divisions.map(({ others }, at) => measured(found[at][kind], others));
    const sum = (field) => all.reduce((total, one) => total + one[field], 0);
    const meanOf = (field) => Math.round(sum(field) / DIVISIONS);
    line([
      percent(rate),
      kind,
      `${sum("allow")} and ${sum("block")} of ${DIVISIONS}`,
      `${percent((sum("allowed") + sum("blocked")) / sum("texts"))} (${percent(sum("allowed") / sum("texts"))} passed, ${percent(sum("blocked") / sum("texts"))} blocked)`,
      percent(sum("missed") / sum("harmful")),
      // The divisions share texts, so the bound is that of one division.
      percent(upperBound(meanOf("missed"), meanOf("harmful"), CONFIDENCE)),
      percent(sum("wrong") / sum("harmless")),
      (sum("cost") / sum("texts")).toFixed(2),
    ]);
  }
}
