import {
  ATTRIBUTE_LANGUAGES,
  type CommentScores,
  emptyAsRead,
  type HeadScores,
  knownAttributes,
  languageRefused,
  ofEnglish,
  ofJudge,
  type RequestedAttribute,
  UNDETECTED,
} from "../domain/moderation/comment-attributes.ts";
import type { Scores } from "../domain/moderation/category.ts";
import type { CommentFailure, EngineFailure, ServiceFailure } from "../domain/ledger/failure.ts";
import { plainOfHtml } from "../domain/text/html-text.ts";
import { baseLanguage } from "../domain/text/languages.ts";
import { listedWords } from "../engines/embedded/listed-words.ts";
import { canBe, languageIn } from "./language.ts";
import { plainText } from "../domain/text/normalise.ts";
import type { JudgeText } from "./free-stages.ts";

// Scores a comment by the attributes of the Perspective API, with the text model inside the Worker and lists
// of words. What judges comments in other languages is the caller's.

export interface CommentText {
  readonly text: string;
  readonly isHtml: boolean;
  readonly attributes: Readonly<Record<string, RequestedAttribute>>;
  /** As the caller names them; empty: the language is detected. */
  readonly languages: readonly string[];
  readonly dropUnsupported: boolean;
  /** True: one span for each sentence; false: one span for the whole comment. */
  readonly bySentence: boolean;
}

export interface SpanScores {
  /** UTF-16 units of the comment as it was sent. */
  readonly begin: number;
  readonly end: number;
  readonly scores: CommentScores;
}

export interface Analysis {
  readonly kind: "analyzed";
  /** The known attributes among the requested ones; without scores if all were dropped. */
  readonly attributes: readonly string[];
  readonly summary: CommentScores | null;
  readonly spans: readonly SpanScores[];
  readonly languages: readonly string[];
  readonly detectedLanguages: readonly string[];
}

type Unavailable = Extract<ServiceFailure, { kind: "unavailable" }>;

/** The judge of comments in other languages gave no scores. */
export type Unscored = Unavailable | Extract<EngineFailure, { kind: "engine_busy" }>;

export async function analyzeComment(
  judge: JudgeText,
  comment: CommentText,
  judgeForeign: JudgeForeign | null = null,
): Promise<Analysis | CommentFailure | Unscored> {
  const { text, begins, ends } = comment.isHtml ? plainOfHtml(comment.text) : asSent(comment.text);
  const empty = emptyAsRead(text);
  if (empty !== null) return empty;
  const plain = plainText(text);
  const detected = languageIn(plain);
  const detectedLanguages = detected === null ? [] : [detected];
  const attributes = knownAttributes(comment.attributes);
  const nothing = { kind: "analyzed", summary: null, spans: [], detectedLanguages } as const;
  if (attributes.length === 0) {
    return { ...nothing, attributes, languages: comment.languages };
  }
  const { languages } = comment;
  const foreign = foreignOf(languages, { plain, detected });
  if (foreign.length > 0) {
    const judged = judgeForeign === null ? null : await judgeForeign(text);
    return ofForeign(comment, { attributes, foreign, detectedLanguages, judged });
  }
  const language = languages.length > 0 ? claimedOf(plain, detected) : detected;
  const summary = await headScores(judge, { text, language });
  if (summary === null) return { kind: "unavailable" };
  if (summary === "unreadable") return UNDETECTED;
  const pieces = comment.bySentence ? sentencesOf(text) : [];
  const [only] = pieces;
  const spans: SpanScores[] = [];
  // If there is at most one sentence, it has the scores of the whole.
  if (only === undefined || pieces.length === 1) {
    const [begin, end] = only === undefined ? [0, text.length] : [only.begin, only.end];
    spans.push({ begin, end, scores: summary });
  } else {
    for (const { begin, end } of pieces) {
      const piece = text.slice(begin, end);
      const one = { text: piece, language: claimedOf(plainText(piece), null) };
      // oxlint-disable-next-line no-await-in-loop -- there is no real wait: the model is in memory
      const scores = await headScores(judge, one);
      if (scores === null) return { kind: "unavailable" };
      if (scores !== "unreadable") spans.push({ begin, end, scores });
    }
  }
  return {
    kind: "analyzed",
    attributes,
    summary,
    spans: spans.map(({ begin, end, scores }) => ({
      begin: only === undefined ? 0 : (begins?.[begin] ?? begin),
      end: only === undefined ? comment.text.length : (ends?.[end - 1] ?? end),
      scores,
    })),
    languages: languages.length > 0 ? languages : ATTRIBUTE_LANGUAGES,
    detectedLanguages,
  };
}

/** Whether a comment is in a language that is not scored here; its text if it is, as a reader sees it. */
export function foreignText(comment: CommentText): string | null {
  const text = comment.isHtml ? plainOfHtml(comment.text).text : comment.text;
  const plain = plainText(text);
  const foreign = foreignOf(comment.languages, { plain, detected: languageIn(plain) });
  return foreign.length > 0 && knownAttributes(comment.attributes).length > 0 ? text : null;
}

/** A judge's scores of a text in another language; null: it does not read that language. */
export type JudgeForeign = (text: string) => Promise<JudgedForeign | Unscored | null>;

export interface JudgedForeign {
  readonly kind: "judged";
  readonly scores: Scores;
}

/** The list of profanity is English: no attribute that needs it is scored in other languages. */
const NEEDS_LIST = /^PROFANITY/;

function ofForeign(
  { text, dropUnsupported }: CommentText,
  found: {
    readonly attributes: readonly string[];
    readonly foreign: readonly string[];
    readonly detectedLanguages: readonly string[];
    readonly judged: JudgedForeign | Unscored | null;
  },
): Analysis | CommentFailure | Unscored {
  const { attributes, foreign: languages, detectedLanguages, judged } = found;
  if (judged !== null && judged.kind !== "judged") return judged;
  const scored = judged === null ? [] : attributes.filter((name) => !NEEDS_LIST.test(name));
  const refused = attributes.find((name) => !scored.includes(name));
  if (refused !== undefined && !dropUnsupported) {
    return languageRefused(refused, languages, detectedLanguages);
  }
  const common = { kind: "analyzed", attributes: scored, languages, detectedLanguages } as const;
  if (judged === null) return { ...common, summary: null, spans: [] };
  const summary = ofJudge(headsOf(judged.scores));
  return { ...common, summary, spans: [{ begin: 0, end: text.length, scores: summary }] };
}

const headsOf = (scores: Scores): HeadScores => ({
  toxicity: scores.toxicity ?? 0,
  hate: scores.hate ?? 0,
  insult: scores.harassment ?? 0,
  threat: scores["harassment/threatening"] ?? 0,
  sexual: scores.sexual ?? 0,
});

/** Places in the text are places in the comment. */
const asSent = (text: string) => ({ text, begins: null, ends: null });

const isJudged = (tag: string): boolean => ATTRIBUTE_LANGUAGES.includes(baseLanguage(tag));

/**
 * The language of a comment that is claimed to be in one that is scored here. As everywhere here, the claim
 * applies if the letters can be of it: the model finds nothing in letters that it does not know.
 */
const claimedOf = (plain: string, detected: string | null): string | null =>
  ATTRIBUTE_LANGUAGES.find((language) => canBe(language, plain)) ?? detected;

/** Languages for which no attribute is scored. */
function foreignOf(
  requested: readonly string[],
  { plain, detected }: { readonly plain: string; readonly detected: string | null },
): readonly string[] {
  if (requested.length === 0) return detected === null || isJudged(detected) ? [] : [detected];
  const foreign = requested.filter((tag) => !isJudged(tag));
  if (foreign.length > 0) return foreign;
  const canBeJudged = ATTRIBUTE_LANGUAGES.some((language) => canBe(language, plain));
  return canBeJudged || detected === null || isJudged(detected) ? [] : [detected];
}

async function headScores(
  judge: JudgeText,
  text: { readonly text: string; readonly language: string | null },
): Promise<CommentScores | "unreadable" | null> {
  const judged = await judge(text);
  if (judged.kind === "unavailable") return null;
  if (judged.kind === "unreadable") return "unreadable";
  return ofEnglish(headsOf(judged.scores), listedWords(text.text));
}

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

/** A long text with more would take the model minutes: then several sentences share a span. */
const MOST_SPANS = 200;

interface Place {
  readonly begin: number;
  readonly end: number;
}

/** Sentences with visible text, without the white space around them. */
function sentencesOf(text: string): Place[] {
  const places: Place[] = [];
  for (const { segment, index } of SEGMENTER.segment(text)) {
    const begin = index + segment.length - segment.trimStart().length;
    const end = index + segment.trimEnd().length;
    if (begin < end) places.push({ begin, end });
  }
  if (places.length <= MOST_SPANS) return places;
  const together = Math.ceil(places.length / MOST_SPANS);
  return places.flatMap(({ begin }, at) => {
    if (at % together !== 0) return [];
    const last = places[Math.min(at + together, places.length) - 1];
    return last === undefined ? [] : [{ begin, end: last.end }];
  });
}
