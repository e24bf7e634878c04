// The small tasks of the fake of Workers AI, in the outputs that each model's schema gives.
//
// Behaviours beside those of workers-ai-server.mjs:
//   reranking      empty_list, twice (one context named twice), far (a context that is not there), nan
//   objects        none (an empty list), no_box, bad_score
//   caption        no_metrics, bad_metrics, no_text
//   translation    no_text, and fewer (of several texts one is missing)

/** What a raw body is for. */
export const rawTaskOf = (model) =>
  model.includes("detr") ? "objects" : model.includes("llava") ? "caption" : "labels";

/** Of a JSON body; null for what is none of these. */
export function smallTask(model, inputs) {
  if (inputs.query !== undefined) {
    const texts = inputs.contexts.map(({ text }) => text);
    return { task: "reranking", content: [inputs.query, ...texts].join("\n") };
  }
  if (inputs.target_lang !== undefined || inputs.target_language !== undefined) {
    return { task: "translation", content: [inputs.text].flat().join("\n") };
  }
  if (model.includes("moondream")) {
    const [, base64 = ""] = /^data:[\w/]+;base64,(.*)$/s.exec(inputs.image ?? "") ?? [];
    const picture = Buffer.from(base64, "base64").toString("latin1");
    return { task: "caption", content: `${inputs.question ?? ""}\n${picture}` };
  }
  return null;
}

export const smallResults = (behaviour, { model, inputs }) => ({
  reranking: () => reranking(behaviour, inputs),
  objects: () => objects(behaviour),
  caption: () => (model.includes("llava") ? llava(behaviour) : moondream(behaviour, inputs)),
  translation: () => translation(behaviour, inputs),
});

/** The longer a context, the better it is. */
function reranking(behaviour, { contexts, top_k = contexts.length }) {
  const response = contexts
    .map(({ text }, id) => ({ id, score: text.length / 1000 }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, top_k);
  if (behaviour === "empty_list") return { response: [] };
  if (behaviour === "twice") return { response: [response[0], response[0]] };
  if (behaviour === "far") return { response: [{ id: contexts.length, score: 1 }] };
  if (behaviour === "nan") return { response: [{ id: 0, score: "high" }] };
  return { response };
}

function objects(behaviour) {
  if (behaviour === "none") return [];
  if (behaviour === "no_box") return [{ label: "cat", score: 0.9 }];
  const score = behaviour === "bad_score" ? 2 : 0.93;
  return [{ score, label: "cat", box: { xmin: 1, ymin: 2, xmax: 30, ymax: 40.5 } }];
}

const llava = (behaviour) => (behaviour === "no_text" ? {} : { description: "A small square." });

function moondream(behaviour, { task }) {
  const text = "A small square, seen from above.";
  const counts = { no_metrics: {}, bad_metrics: { input_tokens: -1, output_tokens: 0.5 } };
  const metrics = counts[behaviour] ?? {
    input_tokens: 740,
    output_tokens: 9,
    prefill_time_ms: 12.5,
    decode_time_ms: 30.25,
    ttft_ms: 14,
  };
  const written = behaviour === "no_text" ? null : text;
  return {
    finish_reason: "stop",
    metrics,
    answer: task === "query" ? written : null,
    caption: task === "caption" ? written : null,
    points: null,
    objects: null,
  };
}

function translation(behaviour, { text, target_lang, target_language }) {
  if (target_language !== undefined) {
    const translations = [text].flat().map((each) => `${target_language}: ${each}`);
    return { translations: behaviour === "fewer" ? translations.slice(1) : translations };
  }
  return behaviour === "no_text" ? {} : { translated_text: `${target_lang}: ${text}` };
}
