import { numbersIn, type TextIndex } from "./text-index.ts";

// Whether a text can have led to a statement about it. What can be looked up is: numbers, quotations,
// addresses, names of several words. What a sentence means cannot.

const QUOTED =
  /["\u201c\u201e\u00ab]([^"\u201c\u201d\u201e\u00ab\u00bb]{8,400})["\u201d\u201c\u00bb]/gu;
const ADDRESS = /[\w.+-]{1,64}@[\w.-]{1,253}|https?:\/\/[^\s<>"')\]]{1,500}/g;

/** `Anna Maria Weber`, `European Central Bank`. */
const NAME =
  /(?<![\p{L}\p{N}])\p{Lu}[\p{L}'\u2019.-]{1,40}(?:[ \u00a0]\p{Lu}[\p{L}'\u2019.-]{1,40}){1,5}/gu;

/** @returns false: it has a number, a quotation, an address or a name that the text does not have */
export function isInText(statement: string, index: TextIndex): boolean {
  if (numbersIn(statement).some((number) => !index.hasNumber(number))) return false;
  const addresses = statement.match(ADDRESS) ?? [];
  if (addresses.some((address) => !hasPiece(index, address.replace(/[.,;:]+$/, "")))) return false;
  for (const [, quoted = ""] of statement.matchAll(QUOTED)) {
    if (index.findQuote(quoted) === null) return false;
  }
  for (const [name] of statement.matchAll(NAME)) {
    const words = name.split(/[ \u00a0]/).map((word) => word.replace(/['\u2019]s$|[.,]+$/g, ""));
    // The first word of a sentence is a capital one whatever it is.
    if (words.slice(1).some((word) => !hasPiece(index, word))) return false;
  }
  return true;
}

const hasPiece = (index: TextIndex, piece: string): boolean => piece === "" || index.hasName(piece);
