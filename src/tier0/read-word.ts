// How a written word is read: as it is if the vocabulary has it, else with the first disguise undone that
// gives a known word.
import { isDigit, isLatinLetter } from "./characters.ts";
import { LEET } from "../domain/text/leet.ts";
import { latinReading } from "../domain/text/lookalikes.ts";
import type { Vocabulary } from "./token.ts";

export interface Reading {
  readonly word: string;
  readonly row: number;
}

/** A longer run is no word: it is cut, so that it stays cheap to read. */
const LONGEST_WORD = 64;

export function readWord(written: string, vocabulary: Vocabulary): Reading {
  let word = written.length > LONGEST_WORD ? written.slice(0, LONGEST_WORD) : written;
  const found = (candidate: string): Reading | null => {
    const row = vocabulary.rowOf(candidate);
    if (row < 0) return null;
    // A word with stars is read as the word that they hide.
    const hidden = candidate.includes("*") ? vocabulary.wordOf(row) : null;
    return { word: hidden ?? candidate, row };
  };
  const known = found(word);
  if (known !== null) return known;

  const latin = latinReading(word);
  if (latin !== null) {
    const reading = found(latin);
    if (reading !== null) return reading;
    word = latin;
  }
  if (isLeet(word)) {
    // A 1 may be an i or an l.
    for (const one of ["i", "l"]) {
      const spelled = withoutLeet(word, one);
      const reading = found(spelled) ?? found(withoutRepeats(spelled, 1));
      if (reading !== null) return reading;
    }
    if (!word.includes("*")) word = withoutLeet(word, "i");
  }
  const doubled = withoutRepeats(word, 2);
  const single = withoutRepeats(doubled, 1);
  const reading = found(doubled) ?? found(single);
  if (reading !== null) return reading;
  if (doubled.length > 4 && doubled.endsWith("s")) {
    const singular = found(doubled.slice(0, -1)) ?? found(single.slice(0, -1));
    if (singular !== null) return singular;
  }
  return { word: doubled, row: -1 };
}

/** Whether a word has letters, and digits or signs among them. */
function isLeet(word: string): boolean {
  let letters = false;
  let others = false;
  for (let at = 0; at < word.length; at += 1) {
    const unit = word.charCodeAt(at);
    if (isLatinLetter(unit)) letters = true;
    else if (isDigit(unit) || unit < 0x80) others = true;
  }
  return letters && others;
}

function withoutLeet(word: string, one: string): string {
  let spelled = "";
  for (const character of word) {
    spelled += character === "1" ? one : (LEET[character] ?? character);
  }
  return spelled;
}

/** Shortens each run of one letter to at most `most`. */
function withoutRepeats(word: string, most: number): string {
  let kept = "";
  let run = 0;
  for (let at = 0; at < word.length; at += 1) {
    run = at > 0 && word[at] === word[at - 1] ? run + 1 : 1;
    if (run <= most) kept += word[at];
  }
  return kept;
}
