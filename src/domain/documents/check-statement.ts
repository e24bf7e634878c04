import { numbersIn } from "./plain-number.ts";
import { hasItsNames } from "./statement-names.ts";
import type { TextIndex } from "./text-index.ts";

// Whether a text can have led to a statement about it. What can be looked up is: numbers, quotations,
// addresses, names. What a sentence means cannot.

const QUOTED =
  /["\u201c\u201e\u00ab]([^"\u201c\u201d\u201e\u00ab\u00bb]{8,400})["\u201d\u201c\u00bb]/gu;
const ADDRESS = /[\w.+-]{1,64}@[\w.-]{1,253}|https?:\/\/[^\s<>"')\]]{1,500}/g;

/** Its numbers belong together: those of two dates make no third one. */
const DATE_OR_TIME = /\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}:\d{2}(?::\d{2})?/g;

/**
 * @param isStrict every word with a capital is a name, in German too
 * @returns false: it has a number, a quotation, an address or a name that the text does not have
 */
export function isInText(statement: string, index: TextIndex, isStrict = false): boolean {
  if (numbersIn(statement).some((number) => !index.hasNumber(number))) return false;
  const dates = statement.match(DATE_OR_TIME) ?? [];
  if (dates.some((date) => !index.hasDigits(date) && !index.hasDigits(date.replaceAll(":", ".")))) {
    return false;
  }
  const addresses = statement.match(ADDRESS) ?? [];
  if (addresses.some((address) => !hasPiece(index, address.replace(/[.,;:]+$/, "")))) return false;
  for (const [, quoted = ""] of statement.matchAll(QUOTED)) {
    if (index.findQuote(quoted) === null) return false;
  }
  return hasItsNames(statement.replaceAll(ADDRESS, " "), index, isStrict);
}

const hasPiece = (index: TextIndex, piece: string): boolean => piece === "" || index.hasName(piece);
