import type { Category } from "../moderation/category.ts";
import type { Policy } from "../moderation/policy.ts";
import { emojiFormOf, type EmojiForm } from "./emoji-terms.ts";
import { GAP, likeness, type Spelled, spelled } from "./letters.ts";
import { SearchedText } from "./match-terms.ts";
import { matchTerms as matchPlainTerms } from "./plain-term-match.ts";
import {
  type Steps,
  categoryOf,
  lineOf,
  type Place,
  writtenOf,
  type Form,
  FormList,
  exactForm,
  matchOf,
  type Term,
  type TermMatch,
  wordForm,
} from "./term.ts";

// The tenant's own words in a text: block terms, allow terms and spam phrases. An allow term cancels the
// matches that it overlaps, and its places are spaces for our own text model.

export interface BlockedTerm {
  /** The index in the policy's list. */
  readonly index: number;
  readonly term: string;
  readonly category: Category | null;
  /** Some of its places; empty for a policy with `matching: "plain"`. */
  readonly spans: readonly Place[];
}

export interface TermMatches {
  readonly blocked: readonly BlockedTerm[];
  /** How many distinct spam phrases match outside every allowed place. */
  readonly spamPhrases: number;
  /** The text for our own text model; null: the text as it is. */
  readonly withoutAllowed: string | null;
}

export const NO_MATCHES: TermMatches = { blocked: [], spamPhrases: 0, withoutAllowed: null };

type Lists = Pick<Policy, "terms" | "spam_phrases" | "matching">;

interface Prepared {
  readonly block: Terms;
  readonly allow: Terms;
  readonly spam: Terms;
}

/** The prepared lists. A policy is the same object in all calls while the router keeps it. */
const PREPARED = new WeakMap<Lists, Prepared>();

function preparedOf(policy: Lists): Prepared {
  const known = PREPARED.get(policy);
  if (known !== undefined) return known;
  const { terms, spam_phrases } = policy;
  const made = {
    block: prepared(terms.block),
    allow: prepared(terms.allow),
    spam: prepared(distinct(spam_phrases)),
  };
  PREPARED.set(policy, made);
  return made;
}

/** Phrases that compare as equal count as one. */
const distinct = (phrases: readonly string[]): string[] => [
  ...new Map(phrases.map((phrase) => [comparedAs(phrase), phrase])).values(),
];

const comparedAs = (phrase: string): string =>
  lineOf(phrase).text.trim() + (emojiFormOf(phrase, false)?.form ?? "");

/** Every allowed place must be blanked, so all of them are needed. */
const ALL = { most: Number.POSITIVE_INFINITY };

type TooMuch = (found: Map<number, Place[]>) => void;

/** For a text that is too long to compare: no place is allowed, and the first block term counts as found. */
const NOTHING_ALLOWED: TooMuch = (found) => found.clear();
const SOMETHING_FOUND: TooMuch = (found) => {
  if (found.size === 0) found.set(0, []);
};

export function matchTerms(text: string, policy: Lists, steps: Steps = { count: 0 }): TermMatches {
  const { block, allow } = policy.terms;
  if (block.length + allow.length + policy.spam_phrases.length === 0) return NO_MATCHES;
  if (policy.matching === "plain") return matchedPlainly(text, policy);
  const lists = preparedOf(policy);
  const searched = new SearchedText(text);
  const allowed =
    policy.terms.allow.length === 0
      ? []
      : [
          ...searched.find(lists.allow, () => false, NOTHING_ALLOWED, { ...ALL, steps }).values(),
        ].flat();
  const before = lengthBefore(allowed, text.length);
  const isTaken = ({ start, end }: Place): boolean => before[start] !== before[end];
  const blocked = [...searched.find(lists.block, isTaken, SOMETHING_FOUND, { steps })]
    .toSorted(([a], [b]) => a - b)
    .map(([index, spans]) => blockedTerm(policy, index, spans));
  return {
    blocked,
    spamPhrases: searched.find(lists.spam, isTaken, SOMETHING_FOUND, { most: 1, steps }).size,
    withoutAllowed: allowed.length === 0 ? null : blanked(text, before),
  };
}

function blockedTerm({ terms }: Lists, index: number, spans: readonly Place[]): BlockedTerm {
  const term = terms.block[index] ?? "";
  const inOrder = spans.toSorted((a, b) => a.start - b.start);
  return { index, term: writtenOf(term), category: categoryOf(term), spans: inOrder };
}

/** The terms of a policy with `matching: "plain"`, compared by the former rules. */
function matchedPlainly(text: string, policy: Lists): TermMatches {
  const { terms, spam_phrases: spam } = policy;
  const lists = plainLists(policy);
  const found = matchPlainTerms(text, { ...lists, spam });
  return {
    blocked: found.blocked.map((index) => blockedTerm(policy, index, [])),
    spamPhrases: found.spamPhrases,
    withoutAllowed: terms.allow.length > 0 && found.hasAllowed ? found.unallowed : null,
  };
}

const PLAIN = new WeakMap<Lists, { readonly block: string[]; readonly allow: string[] }>();

function plainLists(policy: Lists) {
  const known = PLAIN.get(policy);
  if (known !== undefined) return known;
  const { block, allow } = policy.terms;
  const made = { block: block.map(writtenOf), allow: allow.map(writtenOf) };
  PLAIN.set(policy, made);
  return made;
}

/** 0.35 for each distinct phrase found, at most 1. Computed in hundredths, so that two phrases are 0.7. */
export const spamScore = (phrases: number): number => Math.min(100, phrases * 35) / 100;

/** How many units before each place are in `places`. */
function lengthBefore(places: readonly Place[], length: number): Uint32Array {
  const opens = new Int32Array(length + 1);
  for (const { start, end } of places) {
    opens[start] = (opens[start] ?? 0) + 1;
    opens[end] = (opens[end] ?? 0) - 1;
  }
  const before = new Uint32Array(length + 1);
  let open = 0;
  for (let at = 0; at < length; at += 1) {
    open += opens[at] ?? 0;
    before[at + 1] = (before[at] ?? 0) + (open > 0 ? 1 : 0);
  }
  return before;
}

/** The text with spaces in those places, so that all other places stay the same. */
function blanked(text: string, before: Uint32Array): string {
  let made = "";
  let from = 0;
  while (from < text.length) {
    const blank = before[from + 1] !== before[from];
    let to = from + 1;
    while (to < text.length && (before[to + 1] !== before[to]) === blank) to += 1;
    made += blank ? " ".repeat(to - from) : text.slice(from, to);
    from = to;
  }
  return made;
}

// A list of terms, prepared once for all texts.

export interface Entry {
  readonly term: number;
  readonly match: TermMatch;
  /** The text that the place must have in the form of `match`; null: any. */
  readonly as: string | null;
  readonly gaps: Uint8Array | null;
  readonly emoji: EmojiForm | null;
}

export interface Terms {
  readonly words: FormList<Entry>;
  readonly parts: FormList<Entry>;
  /** Terms of letters only, as they are written and with lookalikes as Latin letters. */
  readonly spelled: FormList<Entry>;
  readonly seen: FormList<Entry>;
  /** The same with lookalikes, for matches within words. */
  readonly seenParts: FormList<Entry>;
  /** Terms of emoji only, without and with their skin tones. */
  readonly toneless: FormList<Entry>;
  readonly toned: FormList<Entry>;
}

function prepared(terms: readonly Term[]): Terms {
  const words: Form<Entry>[] = [];
  const parts: Form<Entry>[] = [];
  const written: Form<Entry>[] = [];
  const seen: Form<Entry>[] = [];
  const seenParts: Form<Entry>[] = [];
  const toneless: Form<Entry>[] = [];
  const toned: Form<Entry>[] = [];
  for (const [term, rule] of terms.entries()) {
    const text = writtenOf(rule);
    const match = matchOf(rule);
    const form = lineOf(text).text.trim();
    const as = match === "exact" ? exactForm(text) : match === "word" ? wordForm(text) : null;
    const emoji = emojiFormOf(text, match === "exact");
    const entry = { term, match, as, gaps: null, emoji };
    if (emoji?.alone === true) {
      (emoji.toned ? toned : toneless).push({ form: emoji.form, entry: { ...entry, as: null } });
      continue;
    }
    (match === "substring" ? parts : words).push({ form, entry });
    const letters = match === "folded" || match === "substring" ? spelled(form) : null;
    if (letters === null) continue;
    const like = likeness(letters.letters);
    if (match === "substring") {
      if (like !== null && isOneWord(letters)) seenParts.push({ form: like, entry });
      continue;
    }
    written.push({ form: letters.letters, entry: { ...entry, gaps: letters.gaps } });
    if (like !== null) seen.push({ form: like, entry: { ...entry, gaps: letters.gaps } });
  }
  return {
    words: new FormList(words),
    parts: new FormList(parts),
    spelled: new FormList(written),
    seen: new FormList(seen),
    seenParts: new FormList(seenParts),
    toneless: new FormList(toneless),
    toned: new FormList(toned),
  };
}

/** A shorter part is in many words and numbers by chance. */
const SHORTEST_SEEN_PART = 4;

const isOneWord = ({ letters, gaps }: Spelled): boolean =>
  letters.length >= SHORTEST_SEEN_PART && gaps.every((gap) => gap === GAP.none);
