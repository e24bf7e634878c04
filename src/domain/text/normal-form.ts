// Normalisation sorts each run of combining marks, in time that grows with the square of the run: a text of
// 100 KB made of two marks took seconds. No language has runs of more than a few.

/** Characters that sort as marks; the two are the half-width forms of combining sound marks. */
export const MARK = /[\p{M}\u{FF9E}\u{FF9F}]/u;

/** No language has more marks on a letter, and Unicode's Stream-Safe Text Format ends a run here. */
export const LONGEST_RUN = 30;

const LONG_RUN = new RegExp(`${MARK.source}{${LONGEST_RUN + 1},}`, "gu");
const PIECE = new RegExp(`[^]{${LONGEST_RUN}}`, "gu");

/** It does not sort with other marks, and it is invisible. */
const COMBINING_GRAPHEME_JOINER = "\u{34F}";

/**
 * `text.normalize(form)` in linear time: a joiner is inserted after every 30 marks of a longer run, as in
 * Unicode's Stream-Safe Text Format (https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format). In UTF-8
 * it is never shorter than the plain form.
 */
export const normalForm = (text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD"): string =>
  text
    .replace(LONG_RUN, (run) => run.replace(PIECE, `$&${COMBINING_GRAPHEME_JOINER}`))
    .normalize(form);
