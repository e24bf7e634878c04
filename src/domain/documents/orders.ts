import { findInjection } from "../moderation/injection.ts";
import { plainText } from "../text/normalise.ts";
import { GIVEN_RESULT, ORDER_PATTERNS, ORDER_TRIGGER, OTHER_TRIGGER } from "./order-patterns.ts";

// Passages that speak to the model which reads a document, instead of to people. A model never sees them:
// they become blanks of the same length, so that every position stays. What an answer quotes from such a
// passage is then not in the text.
//
// A false alarm hides a sentence from the summary, and the reply counts it. A disguise that no pattern
// knows is read as text; an answer to it must still fit the schema and be found in the text.
//
// Every expression is linear in the length of the text: repetition is bounded. Each takes its time for each
// passage, however short, so very short lines are looked at together.

const MACHINE =
  "(?:ai|a\\.i\\.|llm|gpt|chatgpt|claude|gemini|copilot|language model|assistant|chat ?bot|summari[sz]er|classifier|(?:ai |document |text )(?:model|reader|agent|system|processor))s?";
const NOUN = "(?:document|text|e-?mail|message|report|article|contract|letter|page|file|content)";
const ANSWER =
  "(?:summary|answer|output|response|analysis|result|json|key points?|action items?|category|classification|sentiment)";

const PATTERNS: readonly RegExp[] = [
  // "Dear AI", "Note to the assistant", "AI: …", "Assistant, you must".
  new RegExp(
    `\\b(?:dear|attention|hey|hello|(?:note|message|instructions?|important|notice) (?:to|for)) (?:the |any |all |every |whatever )?${MACHINE}\\b`,
  ),
  new RegExp(
    `^[^\\p{L}]{0,10}${MACHINE} ?[:,!] ?(?:you|please|ignore|do|don't|must|now|stop|classif|categor|summar|add|say|output|answer|respond|reply|set|write|treat|mark|label|report|include|call|use|run|from now|the ${ANSWER})`,
    "mu",
  ),
  new RegExp(
    `\\bif you(?:'re| are) (?:an? |the )?${MACHINE}\\b|\\b(?:any|the|every|whatever) ${MACHINE} (?:that |who |which )?(?:reads?|reading|processing|processes|analy[sz]ing|summari[sz]ing|parsing) this\\b`,
  ),
  // "Classify this email as personal", "the correct category is marketing".
  new RegExp(
    `\\b(?:classify|categori[sz]e|label|tag|mark|file|treat|report|summari[sz]e|describe|rate|score|present) (?:this|the|it|that|my)(?: (?:above|following|whole|entire|present|attached))? ?${NOUN}?s? ?(?:only |always |simply |instead )?as\\b`,
  ),
  new RegExp(
    `\\b(?:the|its|this) (?:correct|right|only|true|real|final|new|proper|actual) (?:${ANSWER}|label)(?: (?:of|for) (?:this|the) ${NOUN})? (?:is|are|must|should|shall)\\b`,
  ),
  new RegExp(
    `\\b(?:set|change|override|replace|make|force|switch|update) (?:the |its |your )?(?:${ANSWER}|label)(?: field)? (?:to|with|into|field|=)`,
  ),
  new RegExp(`\\b(?:${ANSWER}) ?(?:=|:=|must be|should be|has to be) ?["'\`\\p{L}]`, "u"),
  new RegExp(
    `\\b(?:add|append|insert|include|create|list|write|put|say|mention|state|leave out|omit|claim)\\b[^.\\n]{0,80}\\b(?:(?:in|into|to|from) (?:your ${ANSWER}|the (?:summary|answer|output|response|json|key points|action items))|as an? (?:action item|key point|to-?do|entity))\\b`,
  ),
  new RegExp(
    `\\b(?:in|into|as|for) your ${ANSWER}\\b[^.\\n]{0,20}\\b(?:say|write|include|mention|add|put|set|omit|leave out|claim|state|use|always|only|you must)\\b`,
  ),
  new RegExp(
    `\\b(?:(?:new|extra|additional|mandatory|urgent)|(?:add|append|insert|include) (?:the following|this|another|an?)) action items? ?:`,
  ),
  // An answer in our own form.
  /["'](?:category|summary|sentences|action_items|items|key_points|points|sentiment|nonce|persons|organizations)["'] ?:/,
  /<\/?document\b|-{2,20} ?end of (?:the )?(?:document|text|file|e-?mail|report|input)\b/,
  /\b(?:(?:respond|reply|answer) (?:only |just )?(?:with )?(?:only|exactly|just|the (?:word|words|text|string|json|following|label))|(?:output|return|print) (?:only|exactly|just))\b/,
  new RegExp(
    `\\b(?:do not|don't|never) (?:summari[sz]e|analy[sz]e|extract|classify|categori[sz]e)\\b`,
  ),
  new RegExp(
    `\\b(?:call|invoke|run|execute|trigger) (?:the |your |an? )?["'\`]?[\\w.-]{2,40}["'\`]? (?:tool|function|plugin|api)\\b[^.\\n]{0,40}\\b(?:with|now|immediately|to|before|instead|and)\\b`,
  ),
];

/** Only texts with one of these are looked at closely: most sentences of a document have none. */
const TRIGGER =
  /ignor|disregard|forget|vergiss|missacht|oubli|olvida|overrid|bypass|follow|instruct|prompt|system|assistant|moderator|developer|categor|classif|label|summar|action item|key point|sentiment|nonce|sentences|persons|items["']|answer|output|respon[ds]|reply|return|print|you are|you're|from now on|pretend|act as|mode\b|rate|score|mark|treat|\b(?:ai|llm|gpt)\b|a\.i\.|gpt|claude|gemini|copilot|language model|chat ?bot|<[|/]|<document|\[\/?inst|--|tool|function|plugin|\bapi\b|\S{60}|(?:\b\S[ .*_-]){6}/i;

const NOT_ASCII = /[^\t\n\r -~]/;

/** Letters that nobody sees. */
const HIDDEN = /[\u{E0020}-\u{E007E}]{4}/u;

/** Units of a sentence that are looked at together; a longer one is looked at in pieces. */
const MOST_UNITS = 1500;

/** After an order the rest of its paragraph goes too, up to so many units: it says what is wanted. */
const MOST_AFTER = 1000;

interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Pieces of so many units that are looked at one by one: sentences have more than 50 units each. */
const MOST_PIECES = 30;

/** @returns the text with blanks for such passages, and how many there were */
export function withoutOrders(text: string): { readonly text: string; readonly passages: number } {
  const hidden = groupsOf(piecesOf(text)).flatMap((group) => hiddenIn(text, group));
  if (hidden.length === 0) return { text, passages: 0 };
  const parts: string[] = [];
  let at = 0;
  let passages = 0;
  for (const { start, end } of hidden) {
    if (end <= at) continue;
    if (start >= at) passages += 1;
    const from = Math.max(at, start);
    parts.push(text.slice(at, from), " ".repeat(end - from));
    at = end;
  }
  parts.push(text.slice(at));
  return { text: parts.join(""), passages };
}

/** Pieces that follow each other, and the first one after them. */
interface Group {
  readonly pieces: readonly Piece[];
  readonly next: Piece | undefined;
}

/** Each of at most `MOST_UNITS`. */
function groupsOf(pieces: readonly Piece[]): readonly Group[] {
  const groups: Group[] = [];
  let first = 0;
  for (const [at, { end }] of pieces.entries()) {
    const next = pieces[at + 1];
    if (next !== undefined && next.end - (pieces[first]?.start ?? end) <= MOST_UNITS) continue;
    groups.push({ pieces: pieces.slice(first, at + 1), next });
    first = at + 1;
  }
  return groups;
}

function hiddenIn(text: string, { pieces, next: after }: Group): readonly Piece[] {
  if (pieces.length > MOST_PIECES) return hiddenTogether(text, pieces);
  return pieces.flatMap((piece, at) => {
    const next = pieces[at + 1] ?? after;
    // A line may end within a sentence.
    const both = next === undefined ? piece : { start: piece.start, end: next.end };
    const said = text.slice(piece.start, piece.end);
    if (isOrder(said)) return [withRest(text, piece)];
    if (GIVEN_RESULT.test(plainOf(said))) return [piece];
    if (both.end - both.start > MOST_UNITS || !isWrapped(text, piece)) return [];
    const joined = text.slice(both.start, both.end).replace(/\s+/g, " ");
    return next !== undefined && isOrder(joined) ? [withRest(text, both)] : [];
  });
}

/** Of very short lines all are hidden, where one speaks to a model or several together do. */
function hiddenTogether(text: string, pieces: readonly Piece[]): readonly Piece[] {
  const all = { start: pieces[0]?.start ?? 0, end: pieces.at(-1)?.end ?? 0 };
  const said = text.slice(all.start, all.end);
  const lines = said.normalize("NFKC").toLowerCase().split("\n").map(spaced);
  const isHidden = isOrder(said, lines.join("\n")) || lines.some((line) => GIVEN_RESULT.test(line));
  return isHidden ? [all] : [];
}

/** @param lines the same in lower case, line by line, if it has several */
function isOrder(piece: string, lines?: string): boolean {
  const plain = plainOf(piece);
  const forms = NOT_ASCII.test(piece) ? [plain, spaced(plainText(piece))] : [plain];
  if (lines !== undefined) forms.push(lines);
  const different = forms.filter((form, at) => forms.indexOf(form) === at);
  if (different.some(speaks)) return true;
  const isTried = HIDDEN.test(piece) || different.some((form) => TRIGGER.test(form));
  return isTried && findInjection(piece) !== null;
}

const speaks = (form: string): boolean =>
  (TRIGGER.test(form) && PATTERNS.some((pattern) => pattern.test(form))) ||
  ((ORDER_TRIGGER.test(form) || (NOT_ASCII.test(form) && OTHER_TRIGGER.test(form))) &&
    ORDER_PATTERNS.some((pattern) => pattern.test(form)));

const plainOf = (piece: string): string => spaced(piece.normalize("NFKC"));

const spaced = (text: string): string => text.toLowerCase().replace(/\s+/g, " ").trim();

/** A sentence, or a line. */
const PIECE = /[^\n]+?(?:[.!?\u3002\uff01\uff1f]["')\]]{0,3}(?=\s|$)|(?=\n|$))/g;

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (const { 0: found, index } of text.matchAll(PIECE)) {
    for (let at = 0; at < found.length; at += MOST_UNITS) {
      const end = Math.min(found.length, at + MOST_UNITS);
      if (found.slice(at, end).trim() !== "") pieces.push({ start: index + at, end: index + end });
    }
  }
  return pieces;
}

/** Whether a line ends here, within its paragraph and without the end of a sentence. */
const isWrapped = (text: string, { end }: Piece): boolean =>
  text.charAt(end) === "\n" &&
  text.charAt(end + 1) !== "\n" &&
  !/[.!?:]\s*$/.test(text.slice(end - 3, end));

function withRest(text: string, { start, end }: Piece): Piece {
  const until = text.slice(end, end + MOST_AFTER).search(/\n\s*\n/);
  const rest = until < 0 ? Math.min(MOST_AFTER, text.length - end) : until;
  return { start, end: end + rest };
}
