import { type EmojiForm, emojiFormOf } from "./emoji-terms.ts";
import { type Form, FormList } from "./form-list.ts";
import { GAP, likeness, type Spelled, spelled } from "./letters.ts";
import {
  exactForm,
  lineOf,
  matchOf,
  type Term,
  type TermMatch,
  wordForm,
  writtenOf,
} from "./term.ts";

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

export function prepared(terms: readonly Term[]): Terms {
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
