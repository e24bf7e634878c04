import { quantile } from "./metrics.mjs";

/** Texts that cost as much time as possible. */
export const HOSTILE = [
  "a",
  "a.",
  "f u c k ",
  "*",
  "@a",
  "\u{301}",
  "'",
  "a*",
  "a'b",
  "😀",
  "a!",
  "a🙂b",
  "ﷺ",
  "e\u{301}",
  "a$",
  "\u{D83D}",
  "｡ﾞ",
  "\u{E0041}",
  "1 ",
  "a-",
  "fu-",
  "аb",
  "kill ",
  "kid ",
  "kid 9 ",
].map((piece) => piece.repeat(Math.ceil(100_000 / piece.length)).slice(0, 100_000));

/**
 * @param {import("../../src/tier0/tier0.ts").Tier0} model
 * @param {readonly string[]} sentences
 */
export function measureSpeed(model, sentences) {
  const long = joined(sentences, 100_000);
  const short = Array.from({ length: 3_000 }, (_, at) =>
    joined(sentences.slice(at % sentences.length), 140, sentences),
  );
  for (const text of short.slice(0, 1_000)) model.judge(text);
  // The best of a few runs, since other work of the machine does not count.
  const times = short.map((text) => best(() => model.judge(text)));
  const spans = short.slice(0, 500).map((text) => {
    const judged = model.judge(text);
    return best(() => judged.spansOf("toxicity"));
  });
  return {
    p50Us: quantile(times, 0.5) * 1_000,
    p99Us: quantile(times, 0.99) * 1_000,
    spansP99Ms: quantile(spans, 0.99),
    longMs: best(() => model.judge(long)),
    hostileMs: Math.max(...HOSTILE.map((text) => best(() => model.judge(text)))),
  };
}

function joined(
  /** @type {readonly string[]} */ sentences,
  /** @type {number} */ length,
  more = sentences,
) {
  let text = "";
  for (let at = 0; text.length < length; at += 1) {
    text += `${sentences[at] ?? more[at % more.length] ?? "a"} `;
  }
  return text.slice(0, length);
}

const best = (/** @type {() => unknown} */ run) => Math.min(...[1, 2, 3, 4].map(() => timed(run)));

function timed(/** @type {() => unknown} */ run) {
  const begun = performance.now();
  run();
  return performance.now() - begun;
}
