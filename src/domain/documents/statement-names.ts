import {
  CURRENCIES,
  isAbbreviated,
  isCalendarWord,
  isDeterminer,
  isForeign,
  isFunctionWord,
  isGerman,
  isOrdinary,
  isTitle,
  monthOf,
} from "./ordinary-words.ts";
import type { TextIndex } from "./text-index.ts";

// The names of a statement, and whether a text has them. A name is words with capitals in a row; the text
// must have them in a row too. The first word of an English sentence is a name if it is no ordinary word.

interface Word {
  readonly text: string;
  readonly lower: string;
  /** It is the first of a sentence. */
  readonly begins: boolean;
  /** There is a sign before it. */
  readonly isApart: boolean;
  /** The word behind it may belong to the same name. */
  readonly goesOn: boolean;
}

interface Name {
  readonly words: readonly Word[];
  /** In lower case; "": none. */
  readonly next: string;
}

const TOKEN = /([^\p{L}\p{N}\s]*)([\p{L}\p{N}](?:[\p{L}\p{N}'\u2019.&-]*[\p{L}\p{N}])?)?(\S*)/u;
const POSSESSIVE = /['\u2019]s$/;

function wordsOf(statement: string): Word[] {
  let begins = true;
  return statement.split(/\s+/).flatMap((token): Word[] => {
    const [, before = "", core = "", after = ""] = TOKEN.exec(token) ?? [];
    const text = core.replace(POSSESSIVE, "");
    const lower = text.toLowerCase();
    const isShort = /^\.+$/.test(after) && isAbbreviated(lower);
    const goesOn = (after === "" || isShort) && text === core;
    const word = { text, lower, begins, isApart: before !== "", goesOn };
    if (core !== "" || after !== "") begins = /[.!?:\u2026]/.test(after) && !isShort;
    return core === "" ? [] : [word];
  });
}

const CAPITAL = /^\p{Lu}/u;

function namesOf(words: readonly Word[]): Name[] {
  const names: Name[] = [];
  let run: Word[] = [];
  words.forEach((word, at) => {
    const isCapital = CAPITAL.test(word.text);
    // "On Monday Anna Weber" has one name: days and months are none, and end one.
    const isAlone = isCalendarWord(word.lower) || CURRENCIES.has(word.lower);
    if (isCapital) run.push(word);
    const next = words[at + 1];
    const goesOn =
      word.goesOn &&
      !isAlone &&
      next !== undefined &&
      CAPITAL.test(next.text) &&
      !(next.begins || next.isApart || isCalendarWord(next.lower));
    if (run.length > 0 && !goesOn) {
      names.push({ words: run, next: next?.lower ?? "" });
      run = [];
    }
  });
  return names;
}

/** How the capitals of a statement are read. */
interface Reading {
  /** The first word of a sentence can be looked at. */
  readonly isEnglish: boolean;
  /** A single word with a capital may be any noun. */
  readonly hasNouns: boolean;
}

/** @param isStrict every word with a capital is a name, in German too */
export function hasItsNames(statement: string, index: TextIndex, isStrict: boolean): boolean {
  const words = wordsOf(statement);
  const reading = {
    isEnglish: index.hasName("the") && !words.some(({ text }) => isForeign(text)),
    hasNouns: !isStrict && words.some(({ text }) => isGerman(text)),
  };
  return namesOf(words).every((name) => hasOne(name, index, reading));
}

function hasOne({ words, next }: Name, index: TextIndex, reading: Reading): boolean {
  const [first] = words;
  if (first === undefined) return true;
  if (words.length > 1) return hasFullName(words, index, reading);
  if (!first.begins)
    return reading.hasNouns || isFunctionWord(first.lower) || hasWord(first, index);
  return !reading.isEnglish || isNoName(first, next) || hasWord(first, index);
}

const isNoName = ({ lower }: Word, next: string): boolean =>
  isOrdinary(lower) || isTitle(lower) || isDeterminer(next);

/** Words before a name that are left out to find it. */
const MOST_BEFORE = 6;

function hasFullName(
  name: readonly Word[],
  index: TextIndex,
  { isEnglish, hasNouns }: Reading,
): boolean {
  let rest = name;
  while (rest.length > 1 && name.length - rest.length < MOST_BEFORE) {
    const written = rest.map(({ text }) => text);
    if (index.hasName(written.join(" ")) || index.hasName(written.join(". "))) return true;
    const [first, ...others] = rest;
    if (first === undefined) return true;
    // "Manager Anna Weber" is Anna Weber, if the text has managers.
    const isBefore =
      isFunctionWord(first.lower) ||
      isTitle(first.lower) ||
      (first.begins && (!isEnglish || isOrdinary(first.lower))) ||
      index.hasInLowerCase(first.text);
    if (!isBefore) {
      // "Weber, Anna" is Anna Weber.
      return rest.length === 2 && index.hasName(`${written[1]}, ${written[0]}`);
    }
    rest = others;
  }
  const [last, ...more] = rest;
  return more.length === 0 && (last === undefined || hasNouns || hasWord(last, index));
}

/** `Payments` where the text has a payment, `December` where it has 2026-12-03. */
function hasWord({ text, lower }: Word, index: TextIndex): boolean {
  if (CURRENCIES.has(lower) || index.hasName(text) || index.hasName(`${text}s`)) return true;
  if (isCalendarWord(lower) && index.hasName(lower.slice(0, 3))) return true;
  const month = monthOf(lower);
  if (month > 0) return index.hasNumber(String(month));
  const stem = lower.replace(/(?:e?s|e?d|ing)$/, "");
  return stem.length >= 3 && stem !== lower && (index.hasName(stem) || index.hasName(`${stem}e`));
}
