import type { CommentFailure } from "../ledger/failure.ts";
import type { Category } from "./category.ts";

// The attributes that the Perspective-compatible route scores, by their original names. Any other attribute
// is unknown, as in the original.

/** 0 to 1; from 0.5 on tier 0 would flag (docs/tier0.md). They are not probabilities. */
export interface HeadScores {
  readonly toxicity: number;
  readonly hate: number;
  readonly insult: number;
  readonly threat: number;
  readonly sexual: number;
}

/** The heads' scores, and the scores that attributes need in addition. */
export interface CommentScores extends HeadScores {
  readonly identityAttack: number;
  readonly profanity: number;
  readonly sexuallyExplicit: number;
}

/** The listed English words of a comment, by their worst class. */
export interface ListedWords {
  readonly profanity: "strong" | "mild" | "none";
  /** Lewd: sexual acts, parts of the body, pornography. Coarse: so in one use, or strong profanity. */
  readonly lewdness: "lewd" | "coarse" | "none";
}

/** The range of scores of each class of words; toxicity decides within the range. */
const PROFANE = { strong: [0.7, 1], mild: [0.4, 0.7], none: [0, 0.4] } as const;
const LEWD = { lewd: [0.5, 1], coarse: [0.2, 0.5], none: [0, 0.1] } as const;

const within = ([least, most]: readonly [number, number], share: number): number =>
  least + (most - least) * share;

/**
 * The scores of an English comment. Their IDENTITY_ATTACK and SEXUALLY_EXPLICIT mean more than a category of
 * ours: a toxic text that may mean a group, and any lewd word. The heads alone find fewer of these texts.
 */
export const ofEnglish = (heads: HeadScores, words: ListedWords): CommentScores => ({
  ...heads,
  identityAttack: Math.sqrt(heads.hate * heads.toxicity),
  profanity: within(PROFANE[words.profanity], heads.toxicity),
  sexuallyExplicit: Math.max(heads.sexual, within(LEWD[words.lewdness], heads.toxicity)),
});

/** The scores of a comment in another language by a judge. The lists of words are English. */
export const ofJudge = (heads: HeadScores): CommentScores => ({
  ...heads,
  identityAttack: heads.hate,
  profanity: 0,
  sexuallyExplicit: heads.sexual,
});

type Attribute = (scores: CommentScores) => number;

/** Toxic because of hate, a threat, an insult or profanity, not because of tone alone. */
const severeToxicity: Attribute = ({ toxicity, hate, insult, threat, profanity }) =>
  toxicity * Math.max(hate, insult, threat, profanity);

const HEAD_ATTRIBUTES = {
  TOXICITY: ({ toxicity }) => toxicity,
  SEVERE_TOXICITY: severeToxicity,
  IDENTITY_ATTACK: ({ identityAttack }) => identityAttack,
  INSULT: ({ insult }) => insult,
  PROFANITY: ({ profanity }) => profanity,
  THREAT: ({ threat }) => threat,
  SEXUALLY_EXPLICIT: ({ sexuallyExplicit }) => sexuallyExplicit,
} satisfies Readonly<Record<string, Attribute>>;

export const ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  ...Object.entries(HEAD_ATTRIBUTES),
  ...Object.entries(HEAD_ATTRIBUTES).map(
    ([name, attribute]) => [`${name}_EXPERIMENTAL`, attribute] as const,
  ),
  ["TOXICITY_FAST", HEAD_ATTRIBUTES.TOXICITY],
]);

/** The score of a known attribute, rounded down as the heads' own scores are. */
export const scoreOf = (attribute: string, scores: CommentScores): number =>
  Math.floor((ATTRIBUTES.get(attribute)?.(scores) ?? 0) * 1000) / 1000;

/** The category that each of these attributes is about: a suggested score is a label of it. */
const LABELS: readonly (readonly [string, Category])[] = [
  ["TOXICITY", "toxicity"],
  ["IDENTITY_ATTACK", "hate"],
  ["INSULT", "harassment"],
  ["THREAT", "harassment/threatening"],
  ["SEXUALLY_EXPLICIT", "sexual"],
];

/**
 * The labels in suggested scores by attribute: true from 0.5 on. Other attributes are labels
 * of nothing.
 */
export const suggestedLabels = (
  scores: Readonly<Record<string, number | undefined>>,
): Partial<Record<Category, boolean>> =>
  Object.fromEntries(
    LABELS.flatMap(([attribute, category]) => {
      const score = scores[attribute] ?? scores[`${attribute}_EXPERIMENTAL`];
      return score === undefined ? [] : [[category, score >= 0.5]];
    }),
  );

/** Languages in which all attributes are scored. */
export const ATTRIBUTE_LANGUAGES: readonly string[] = ["en"];

export const PROBABILITY = "PROBABILITY";

export interface RequestedAttribute {
  readonly scoreType?: string | undefined;
  readonly scoreThreshold?: number | undefined;
}

export interface CommentToAnalyze {
  /** As sent. */
  readonly text: string;
  readonly bytes: number;
  readonly type: string;
  readonly attributes: Readonly<Record<string, RequestedAttribute>>;
  readonly dropUnsupported: boolean;
}

export const COMMENT_TYPES = ["PLAIN_TEXT", "HTML"] as const;

/** Plain text is the default, and also the meaning of the enum's zero value. */
export const typeOf = (type: string | undefined): string =>
  type === undefined || type === "TEXT_TYPE_UNSPECIFIED" ? "PLAIN_TEXT" : type;

/** Five times the limit of the original. */
export const MAX_COMMENT_BYTES = 102_400;

export const refused = (
  errorType: CommentFailure["errorType"],
  detail: string,
): CommentFailure => ({ kind: "comment_refused", errorType, detail });

/** A caller's value is repeated in a message only if it looks like a valid one. */
const NAME = /^[A-Z][A-Z\d_]{0,63}$/;
const TAG = /^[A-Za-z\d_-]{1,35}$/;

const nameOf = (name: string): string => (NAME.test(name) ? `: ${name}` : "");

const EMPTY = refused("COMMENT_EMPTY", "Comment must be non-empty.");

/** Whether a reader sees anything of a text: white space and formatting characters alone are nothing. */
const hasSigns = (text: string): boolean => /[^\s\p{Cc}\p{Cf}]/u.test(text);

/** The first thing that is wrong with a request, in the order in which the original checks; null: nothing. */
export function wrongWith(comment: CommentToAnalyze): CommentFailure | null {
  if (!(COMMENT_TYPES as readonly string[]).includes(comment.type)) {
    return refused("INVALID_REQUEST", "Unknown text type");
  }
  if (!hasSigns(comment.text)) return EMPTY;
  if (comment.bytes > MAX_COMMENT_BYTES) {
    return refused("COMMENT_TOO_LONG", "Comment text too long.");
  }
  const requested = Object.entries(comment.attributes);
  if (requested.length === 0) {
    return refused("NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes");
  }
  for (const [name, { scoreType = PROBABILITY }] of requested) {
    if (!ATTRIBUTES.has(name)) {
      if (comment.dropUnsupported) continue;
      return refused("INVALID_REQUEST", `Unknown requested attribute${nameOf(name)}`);
    }
    if (scoreType === PROBABILITY || scoreType === "SCORE_TYPE_UNSPECIFIED") continue;
    const type = NAME.test(scoreType) ? `${scoreType} ` : "";
    const detail = `Requested score type ${type}is not supported by attribute ${name}`;
    return refused("INVALID_REQUEST", detail);
  }
  return null;
}

/** The failure for a comment of which a reader sees nothing, as HTML without text; else null. */
export const emptyAsRead = (text: string): CommentFailure | null => (hasSigns(text) ? null : EMPTY);

/** The known names among the requested attributes. */
export const knownAttributes = (
  requested: Readonly<Record<string, RequestedAttribute>>,
): string[] => Object.keys(requested).filter((name) => ATTRIBUTES.has(name));

/** The failure for a language without scores. It names the first attribute, as the original does. */
export function languageRefused(
  attribute: string,
  languages: readonly string[],
  detectedLanguages: readonly string[],
): CommentFailure {
  const shown = languages.filter((tag) => TAG.test(tag)).join(",");
  return {
    ...refused(
      "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
      `Attribute ${attribute} does not support request languages: ${shown}`,
    ),
    attribute: { name: attribute, detectedLanguages },
  };
}

export const UNDETECTED = refused("LANGUAGE_DETECTION_FAILED", "Unable to detect language");
