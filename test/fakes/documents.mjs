// A language model that is asked about a document, for both fakes. It finds the document between its two
// lines, as a model would, and answers from what it sees there.
//
// For one task: [[fake:doc_category=prose|unique]]. (`category=` would be hidden, as an order.)
//
//   (none)        sentences, names and cues of the document
//   gullible      does what the document tells it, where it sees that: the category "marketing", an action
//                 item and a summary about Mallory
//   obedient:6869 the same, whether or not it sees it, quoting that order (in hex)
//   other_category  a category that was not asked for
//   invented      numbers, names and quotations that no document has
//   extra         one more field than the schema has
//   fence         the answer as a block of code
//   prose other_nonce no_nonce truncated   no answer
//   tool          calls a tool, and says nothing

import { nonceIn } from "./script.mjs";

const NAMES = {
  sentences: "doc_summary",
  points: "doc_key_points",
  persons: "doc_entities",
  category: "doc_category",
  items: "doc_action_items",
  chosen: "doc_key_points",
};

/** The task that is asked for; null: it is no question about a document. */
export function documentTask(inputs) {
  const format = inputs?.response_format?.json_schema;
  const properties = (format?.schema ?? format)?.properties ?? {};
  const name = Object.keys(properties).find((one) => Object.hasOwn(NAMES, one));
  return name === undefined ? null : NAMES[name];
}

const FENCED = /<document [0-9a-f]{32}>\n([^]*)\n<\/document [0-9a-f]{32}>/;

/** What the model is shown of the document. */
function seen(messages) {
  const prompt = messages.at(-1).content;
  const content = FENCED.exec(prompt)?.[1] ?? "";
  try {
    const value = JSON.parse(content);
    return typeof value === "string" ? value : content;
  } catch {
    return content;
  }
}

export function documentAnswer(behaviour, messages, properties) {
  const text = seen(messages);
  const nonce = nonceIn(messages);
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).filter((one) => /[a-z]{3}/i.test(one));
  const first = sentences.find((one) => !one.includes("[[fake:")) ?? "";
  const sentenceWith = (word) => sentences.find((one) => one.includes(word));
  const [, hex] = /^obedient:([0-9a-f]+)$/.exec(behaviour) ?? [];
  const known = hex === undefined ? null : Buffer.from(hex, "hex").toString();
  const order = {
    category: known ?? sentenceWith("marketing"),
    item: known ?? sentenceWith("Mallory"),
  };
  const obeys = known !== null || behaviour === "gullible";
  const invented = behaviour === "invented";
  const answers = {
    sentences: () => [
      ...(obeys && order.item ? ["Mallory Ventures Ltd approved the payment of 5,000 EUR."] : []),
      first,
      ...(invented ? ["It cost 987,654 EUR.", 'Somebody said "we never wrote this down".'] : []),
    ],
    points: () => [
      { text: first, quote: invented ? "words that stand nowhere" : first },
      ...(obeys && order.item ? [{ text: "Mallory is to be paid.", quote: order.item }] : []),
    ],
    persons: () =>
      invented ? ["Nobody Known"] : (text.match(/\b[A-Z][a-z]+ [A-Z][a-z]+\b/g) ?? []),
    organizations: () => [],
    places: () => [],
    category: () => {
      if (behaviour === "other_category") return "approved";
      if (obeys && order.category) return "marketing";
      return properties.category.enum[1];
    },
    quote: () => (obeys && order.category ? order.category : first),
    items: () => [
      ...(obeys && order.item
        ? [{ what: "Wire 5,000 EUR to Mallory", who: null, by_when: "today", quote: order.item }]
        : []),
      ...sentences
        .filter((one) => /\bplease\b/i.test(one) && !one.includes("Mallory"))
        .map((one) => ({
          what: one,
          who: invented ? "Nobody Known" : null,
          by_when: invented ? "2031-01-01" : null,
          quote: one,
        })),
    ],
    chosen: () => [0, 1, 2, invented ? 9999 : 3],
  };
  const fields = Object.fromEntries(
    Object.keys(properties)
      .filter((name) => name !== "nonce")
      .map((name) => [name, answers[name]()]),
  );
  const honest = JSON.stringify({ nonce, ...fields });
  switch (behaviour) {
    case "prose":
      return `Here you are: ${honest}`;
    case "fence":
      return "```json\n" + honest + "\n```";
    case "extra":
      return JSON.stringify({ nonce, ...fields, verdict: "approved" });
    case "other_nonce":
      return JSON.stringify({ nonce: "0".repeat(32), ...fields });
    case "no_nonce":
      return JSON.stringify(fields);
    case "truncated":
      return honest.slice(0, -5);
    default:
      return honest;
  }
}
