import { normalForm } from "../../domain/text/normal-form.ts";
import type { ChatMessage } from "../inference.ts";

// The sentences of a conversation, and how well each answers its last question: by the words that
// they share, the rarer the heavier (Spärck Jones, 1972). It knows words, not what they mean.

export interface Sentence {
  readonly text: string;
  /** Its place in the conversation. */
  readonly at: number;
  readonly score: number;
}

/** Sentences of one message; a line without words counts too. A body has 2 MB. */
const MAX_SENTENCES = 20_000;

/** Characters of a sentence; nobody would quote a longer one. */
const MAX_SENTENCE_CHARS = 4000;

/** Characters of all messages. The beginning is dropped, since the question is at the end. */
const MAX_CHARS = 500_000;

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

/** Words that say what kind of question it is, not what it is about. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a about all an and are as at be been but by can could did do does for from had has have he her " +
    "his how i if in into is it its me my of on or our please she should so tell that the their " +
    "them there these they this to was we were what when where which who why will with would you your"
  ).split(" "),
);

export const textOfMessage = ({ content }: ChatMessage): string =>
  typeof content === "string"
    ? content
    : (content ?? []).map((part) => (part.type === "text" ? part.text : "")).join("\n");

export function sentencesIn(text: string): string[] {
  const sentences: string[] = [];
  let segmentCount = 0;
  for (const { 0: line } of text.matchAll(/[^\n]+/g)) {
    // Only lines with words go to the segmenter: each call of it costs more than a sentence.
    const segments = WORDY.test(line) ? SEGMENTER.segment(line) : [{ segment: "" }];
    for (const { segment } of segments) {
      segmentCount += 1;
      if (segmentCount > MAX_SENTENCES) return sentences;
      const sentence = segment.slice(0, MAX_SENTENCE_CHARS).trim();
      if (WORDY.test(sentence)) sentences.push(sentence);
    }
  }
  return sentences;
}

const WORDY = /[\p{L}\p{N}]/u;

/** Its words without those that every text has, in lower case. */
export const wordsOf = (text: string): string[] =>
  (
    normalForm(text, "NFKC")
      .slice(0, MAX_SENTENCE_CHARS)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).filter((word) => !STOP_WORDS.has(word));

/**
 * The conversation's sentences, best first. The question in the user's last message is left out, unless
 * there is no other sentence.
 */
export function rankedSentences(messages: readonly ChatMessage[]): Sentence[] {
  const lastMessage = messages.findLast(({ role }) => role === "user") ?? messages.at(-1);
  const texts = lastOf(messages.map(textOfMessage)).flatMap(sentencesIn);
  const question =
    lastMessage === undefined
      ? undefined
      : questionIn(textOfMessage(lastMessage).slice(-MAX_CHARS));
  const at = question === undefined ? -1 : texts.lastIndexOf(question);
  const others = texts.length > 1 ? texts.filter((_, place) => place !== at) : texts;
  const words = others.map((text) => new Set(wordsOf(text)));
  const counts = new Map<string, number>();
  for (const set of words) for (const word of set) counts.set(word, (counts.get(word) ?? 0) + 1);
  const wanted = new Set(wordsOf(question ?? ""));
  const weight = (word: string): number => Math.log(1 + others.length / (counts.get(word) ?? 1));
  return others
    .map((text, place): Sentence => {
      const shared = [...(words[place] ?? [])].filter((word) => wanted.has(word));
      // A long sentence shares words by chance, so its length counts against it.
      const length = Math.sqrt(1 + (words[place]?.size ?? 0));
      return { text, at: place, score: shared.reduce((sum, w) => sum + weight(w), 0) / length };
    })
    .toSorted((a, b) => b.score - a.score || a.at - b.at);
}

/** The last `MAX_CHARS` characters of the texts, all together. */
function lastOf(texts: readonly string[]): readonly string[] {
  let left = MAX_CHARS;
  return texts
    .toReversed()
    .map((text) => {
      const read = left > 0 ? text.slice(-left) : "";
      left -= read.length;
      return read;
    })
    .toReversed();
}

/** The last question, or where none ends in a question mark, the last sentence. */
function questionIn(text: string): string | undefined {
  const sentences = sentencesIn(text);
  return sentences.findLast((sentence) => /[?？؟]["')\]]*$/u.test(sentence)) ?? sentences.at(-1);
}
