import { isInText } from "../documents/check-statement.ts";
import { TextIndex } from "../documents/text-index.ts";
import { hasDuplicateKey } from "../moderation/judge.ts";

// An answer from passages, and the check of it: a statement stands only with a quote that a passage really
// has, and names and numbers only where the passage or the question has them.

/** A passage that an answer may quote. */
export interface Source {
  readonly documentId: string;
  /** The passage's place in its document, in UTF-16 units. */
  readonly start: number;
  readonly text: string;
}

/** What a model says, before it is checked. */
export interface Claim {
  readonly text: string;
  /** Words of a passage, copied. */
  readonly quote: string;
}

/** Where a statement is said: a span of a document, in UTF-16 units. */
export interface Citation {
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
  /** As the document has it. */
  readonly quote: string;
}

export interface Statement {
  readonly text: string;
  readonly citation: Citation;
}

export interface CheckedAnswer {
  readonly statements: readonly Statement[];
  /** Statements that were left out: their quote, a name or a number of theirs is in no passage. */
  readonly dropped: number;
}

export const MOST_STATEMENTS = 6;
/** UTF-16 units of a statement, and of its quote. */
export const MOST_CLAIM_CHARS = 600;

/** Shorter quotes are in any text by chance. */
const LEAST_QUOTE_LETTERS = 8;

/** The form that a model is bound to. */
export const ANSWER_SCHEMA = {
  type: "object",
  properties: {
    nonce: { type: "string" },
    statements: {
      type: "array",
      maxItems: MOST_STATEMENTS,
      items: {
        type: "object",
        properties: {
          text: { type: "string", maxLength: MOST_CLAIM_CHARS },
          quote: { type: "string", maxLength: MOST_CLAIM_CHARS },
        },
        required: ["text", "quote"],
        additionalProperties: false,
      },
    },
  },
  required: ["nonce", "statements"],
  additionalProperties: false,
} as const;

/**
 * Null: not as the schema says, or without the nonce of the question. A model behind another engine may
 * ignore the schema.
 */
export function parseClaims(json: string, nonce: string): Claim[] | null {
  const value = parsed(json);
  if (typeof value !== "object" || value === null || hasDuplicateKey(json)) return null;
  const answer = value as Partial<Record<"nonce" | "statements", unknown>>;
  const { statements } = answer;
  if (answer.nonce !== nonce || !Array.isArray(statements)) return null;
  const claims: Claim[] = [];
  for (const one of statements.slice(0, MOST_STATEMENTS) as readonly unknown[]) {
    if (typeof one !== "object" || one === null) return null;
    const { text, quote } = one as Partial<Record<"text" | "quote", unknown>>;
    if (typeof text !== "string" || typeof quote !== "string") return null;
    claims.push({ text: text.slice(0, MOST_CLAIM_CHARS).trim(), quote });
  }
  return claims;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** The statements that may be shown, in their order. */
export function checkAnswer(
  claims: readonly Claim[],
  sources: readonly Source[],
  question: string,
): CheckedAnswer {
  const statements = claims.flatMap((claim): Statement[] => {
    const cited = citationOf(claim.quote, sources);
    if (cited === null || claim.text === "") return [];
    const index = new TextIndex(`${cited.source.text}\n${question}`);
    return isInText(claim.text, index, true)
      ? [{ text: claim.text, citation: cited.citation }]
      : [];
  });
  return { statements, dropped: claims.length - statements.length };
}

/** The characters that mean something in a pattern. */
const SYNTAX = /[$()*+./?[\\\]^{|}]/g;

/** The first passage that has the quote; blanks and the case of letters may differ. Null: none has it. */
function citationOf(
  quote: string,
  sources: readonly Source[],
): { readonly source: Source; readonly citation: Citation } | null {
  const words = quote
    .slice(0, MOST_CLAIM_CHARS)
    .replace(/^[\s"'“”‘’«».…]+|[\s"'“”‘’«».…]+$/gu, "")
    .split(/\s+/u);
  if ((words.join("").match(/[\p{L}\p{N}]/gu) ?? []).length < LEAST_QUOTE_LETTERS) return null;
  const pattern = new RegExp(
    words.map((word) => word.replaceAll(SYNTAX, "\\$&")).join("\\s+"),
    "iu",
  );
  for (const source of sources) {
    const found = pattern.exec(source.text);
    if (found === null) continue;
    const start = source.start + found.index;
    const [said] = found;
    const { documentId } = source;
    const citation = { documentId, start, end: start + said.length, quote: said };
    return { source, citation };
  }
  return null;
}
