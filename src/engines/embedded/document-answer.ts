import { field } from "../engine-call.ts";
import type { ChatInference, ChatOutput } from "../inference.ts";
import {
  ACTION,
  ACTOR,
  BY_WHEN,
  CATEGORY_CUES,
  NO_NAME,
  ORGANIZATION,
  PERSON,
  PLACE,
} from "./document-cues.ts";
import { rankedSentences, sentencesIn, textOfMessage, wordsOf } from "./sentences.ts";

// The stand-in for a language model that is asked about a document (`domain/documents/prompts.ts`). It reads
// the whole text that it is sent, and answers with sentences and names of it: those whose words are the most
// frequent ones (Nenkova and Vanderwende, 2005), and those with certain cues. It writes no word of its own.

const FENCED = /<document ([0-9a-f]{32})>\n([^]*)\n<\/document \1>/;

/** Units of a quotation. */
const MOST_UNITS = 280;
const MOST_NAMES = 30;
const MOST_ITEMS = 8;
const MOST_STATEMENTS = 3;

interface Asked {
  /** Sentences in their order. */
  readonly sentences: readonly string[];
  readonly text: string;
  readonly schema: unknown;
}

type Answer = Readonly<Record<string, unknown>>;

const ANSWERS: Readonly<Record<string, (asked: Asked) => Answer>> = {
  document_summary: ({ sentences }) => ({ sentences: central(sentences, 3) }),
  document_key_points: ({ sentences }) => ({
    points: central(sentences, 5).map((text) => ({ text, quote: text })),
  }),
  document_entities: ({ text }) => namesIn(text),
  document_category: categoryOf,
  document_action_items: ({ sentences }) => ({
    items: sentences
      .filter((sentence) => ACTION.test(sentence))
      .slice(0, MOST_ITEMS)
      .map(itemOf),
  }),
};

/** Null: nothing is asked about a document. */
export function answerAboutDocument(inference: ChatInference): ChatOutput | null {
  const format = field(inference.parameters["response_format"], "json_schema");
  const name = field(format, "name");
  if (typeof name !== "string" || !name.startsWith("document_")) return null;
  const prompt = inference.messages.map(textOfMessage).join("\n");
  const [all = "", nonce = "", content = ""] = FENCED.exec(prompt) ?? [];
  const question = prompt.slice(prompt.indexOf(all) + all.length).trim();
  const schema = field(format, "schema");
  const answer = Object.hasOwn(ANSWERS, name)
    ? ANSWERS[name]?.(askedIn(content, schema))
    : name === "document_question"
      ? { statements: statementsOf(content.split("\n").map(parsed), question) }
      : joinOf(name, content);
  if (answer === undefined || nonce === "") return null;
  return {
    content: JSON.stringify({ nonce, ...answer }),
    reasoning: null,
    toolCalls: [],
    finishReason: "stop",
  };
}

function askedIn(content: string, schema: unknown): Asked {
  const text = parsed(content);
  return { text, sentences: sentencesIn(text).map(cut), schema };
}

/** A note may be cut, and so be no JSON. */
function parsed(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : "";
  } catch {
    return json.replace(/^"|"$/g, "");
  }
}

/** A long sentence is quoted in part, up to the end of a word. */
function cut(sentence: string): string {
  if (sentence.length <= MOST_UNITS) return sentence;
  const part = sentence.slice(0, MOST_UNITS).toWellFormed();
  return part.slice(0, Math.max(1, part.lastIndexOf(" "))).trim();
}

/** @param question with the line that says how to answer */
function statementsOf(passages: readonly string[], question: string) {
  const asked = question.split("\n").slice(0, -1).join("\n");
  const content = [...passages, asked].join("\n\n");
  return rankedSentences([{ role: "user", content }])
    .filter(({ score }) => score > 0)
    .slice(0, MOST_STATEMENTS)
    .map(({ text }) => ({ text: cut(text), quote: cut(text) }));
}

function joinOf(name: string, content: string): Answer | undefined {
  const notes = content.split("\n");
  if (name === "document_summary_join") {
    return {
      sentences: central(
        notes.flatMap((note) => sentencesIn(parsed(note)).map(cut)),
        3,
      ),
    };
  }
  if (name !== "document_key_points_join") return undefined;
  const texts = notes.map((note) => parsed(note.replace(/^\d+: /, "")));
  const best = new Set(central(texts, 5));
  const numbers = texts.flatMap((text, at) => (best.delete(text) ? [at] : []));
  return { chosen: numbers };
}

/** A sentence with fewer words says little. */
const LEAST_WORDS = 4;

const ENDED = /[.!?\u3002\uff01\uff1f]["')\]]{0,3}$/;

/** The sentences whose words are the most frequent ones of all, in their own order. */
function central(sentences: readonly string[], most: number): readonly string[] {
  const words = sentences.map(wordsOf);
  const counts = new Map<string, number>();
  for (const list of words) for (const word of list) counts.set(word, (counts.get(word) ?? 0) + 1);
  const scored = sentences.map((sentence, at) => {
    const own = words[at] ?? [];
    const sum = own.reduce((total, word) => total + Math.log(1 + (counts.get(word) ?? 0)), 0);
    // A line without an end is a heading, or a field of a form.
    const weight = own.length < LEAST_WORDS ? 0 : ENDED.test(sentence) ? 1 : 0.5;
    return { sentence, at, score: (weight * sum) / Math.max(1, own.length) };
  });
  const best = scored.toSorted((a, b) => b.score - a.score || a.at - b.at);
  // The same sentence twice says it once.
  const distinct = [...new Map(best.map((one) => [one.sentence, one])).values()];
  return distinct
    .slice(0, most)
    .toSorted((a, b) => a.at - b.at)
    .map(({ sentence }) => sentence);
}

function namesIn(text: string): Answer {
  const organizations = found(text, ORGANIZATION);
  const persons = [...text.matchAll(PERSON)].map(([, name = ""]) => name);
  return {
    persons: names(persons).filter((name) => !organizations.some((one) => one.includes(name))),
    organizations,
    places: found(text, PLACE),
  };
}

const found = (text: string, pattern: RegExp): string[] =>
  names([...text.matchAll(pattern)].map(([name]) => name));

const names = (all: readonly string[]): string[] =>
  [...new Set(all)].filter((name) => !NO_NAME.test(name)).slice(0, MOST_NAMES);

/** The category with the most cues, and the sentence with the most of them that does not name it. */
function categoryOf({ sentences, schema }: Asked): Answer {
  const options = field(field(field(schema, "properties"), "category"), "enum");
  const words = sentences.map(wordsOf);
  const scored = (Array.isArray(options) ? options : []).map((option: unknown) => {
    const label = String(option);
    const cues = new Set([
      ...label.toLowerCase().split(/\W+/),
      ...(CATEGORY_CUES[label] ?? "").split(" "),
    ]);
    const hits = words.map((list) => list.filter((word) => cues.has(word)).length);
    const named = label.toLowerCase();
    const shown = hits.map((n, at) => (sentences[at]?.toLowerCase().includes(named) ? 0 : n));
    const best = shown.indexOf(Math.max(...shown));
    const quote = (shown[best] ?? 0) > 0 ? (sentences[best] ?? "") : "";
    return { label, hits: hits.reduce((sum, n) => sum + n, 0), quote };
  });
  const [first] = scored.toSorted((a, b) => b.hits - a.hits);
  if (first === undefined || first.hits === 0) return { category: "", quote: "" };
  return { category: first.label, quote: first.quote };
}

const itemOf = (sentence: string) => ({
  what: sentence,
  who: ACTOR.exec(sentence)?.[1] ?? null,
  by_when: BY_WHEN.exec(sentence)?.[1] ?? null,
  quote: sentence,
});
