import { parseArgs } from "node:util";
import { loadModel } from "./load-model.mjs";
import {
  measureBenign,
  measureDavidson,
  measureDisguises,
  measureHateCheck,
  measureHatemojiCheck,
  measureOpenAi,
  measureOthers,
  measureSentiment,
  POLICIES,
} from "./measure-sets.mjs";
import { measureMinors } from "./minors.mjs";
import { measureOwnSet } from "./own-set.mjs";
import { has } from "./read-rows.mjs";
import * as sets from "./sets.mjs";
import { measureSpeed } from "./speed.mjs";
import { measureWithoutLanguage } from "./without-language.mjs";
import { atMost, forInformation, print } from "./table.mjs";

// npm run tier0:evaluate -- [--data <folder>] [--weights <file>] [--strict] [--skip-speed]
//
// Measures the committed weights with the shipped thresholds. Without a folder of data (tier0/DATA.md lists
// its files) it measures only speed and our own set, which is beside this file. With `--strict` it fails
// if a row misses its bar; rows of time never fail.

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "" },
    weights: { type: "string" },
    strict: { type: "boolean", default: false },
    "skip-speed": { type: "boolean", default: false },
  },
});

const { model, bytes, hash } = loadModel(values.weights);
const score = (/** @type {string} */ text) => {
  const { scores, minors } = model.judge(text);
  return { ...scores, minors: minors?.score ?? 0 };
};
console.log(`weights: ${bytes} bytes, SHA-256 ${hash}`);

const lines = [
  ...measureOwnSet(score),
  ...measureWithoutLanguage(score),
  atMost("weights, MB", bytes / 1e6, 1.4),
];
let sentences = [
  "The committee met on Tuesday and agreed to look at the plan again.",
  "What a lovely day.",
];
if (values.data === "") {
  console.log("No data: name the folder with --data to measure the public sets (tier0/DATA.md).");
} else if (!has(`${values.data}/evaluation`)) {
  console.error(`${values.data} has no folder "evaluation" (tier0/DATA.md).`);
  process.exit(2);
} else {
  const texts = sets.benign(values.data);
  const benign = texts.map(score);
  const check = measureHateCheck(
    sets.hateCheck(values.data).map((row) => ({ ...row, scores: score(row.text) })),
    POLICIES,
  );
  lines.unshift(
    ...check.lines,
    ...measureHatemojiCheck(score, values.data),
    ...measureDavidson(score, values.data),
    ...measureOpenAi(score, values.data, benign),
    ...measureMinors(score, values.data),
    ...measureSentiment(score, values.data),
    ...measureBenign(benign),
    ...measureDisguises(score, values.data),
  );
  print("HateCheck, each functionality: share right at the flag", check.each);
  print("Other sets", measureOthers(score, values.data, benign));
  sentences = sets.sst2(values.data).map((row) => row.text);
}
print("The table", lines);

if (!values["skip-speed"]) {
  const speed = measureSpeed(model, sentences);
  print("Speed on this machine", [
    atMost("140 characters, p50 us", speed.p50Us, 300),
    atMost("140 characters, p99 us", speed.p99Us, 600),
    atMost("spans, p99 ms", speed.spansP99Ms, 2),
    atMost("100 KB, ms", speed.longMs, 50),
    atMost("the worst of the hostile texts of 100,000 units, ms", speed.hostileMs, 100),
  ]);
}
const missed = lines.filter((line) => line.passed === false);
print("Bars", [
  forInformation("reached", `${lines.filter((l) => l.passed).length}`),
  forInformation("missed", `${missed.length}`),
]);
if (values.strict && missed.length > 0) process.exit(1);
