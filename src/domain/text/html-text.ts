// The visible text of a comment in HTML, and where each part of it is in the original. This is no parser for
// pages: a comment has paragraphs, links and emphasis. An element without an end takes the rest of the text,
// as in a browser, so that no character is visited twice.

export interface PlainHtml {
  readonly text: string;
  /** Where each UTF-16 unit of `text` begins and ends in the original. */
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

/** A comment, an element with invisible content, a tag, a character reference, or one character. */
const PART =
  /<!--[^]*?(?:-->|$)|<(script|style)\b[^<>]*>[^]*?(?:<\/\1\s*>|$)|<\/?([a-z][a-z\d]*)\b[^<>]*>|&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));?|[^]/gi;

/** Tags that end no word: `id<b>io</b>t`. */
const INLINE: ReadonlySet<string> = new Set(
  "a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var wbr".split(
    " ",
  ),
);

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

export function plainOfHtml(html: string): PlainHtml {
  const begins: number[] = [];
  const ends: number[] = [];
  let text = "";
  for (const found of html.matchAll(PART)) {
    const [part, , tag, decimal, hex, named] = found;
    const shown = shownFor(part, { tag, code: codeOf(decimal, hex), named });
    for (let unit = 0; unit < shown.length; unit += 1) {
      begins.push(found.index);
      ends.push(found.index + part.length);
    }
    text += shown;
  }
  return { text, begins, ends };
}

const codeOf = (decimal: string | undefined, hex: string | undefined): number | null => {
  if (decimal !== undefined) return Number(decimal);
  return hex === undefined ? null : Number.parseInt(hex, 16);
};

function shownFor(
  part: string,
  {
    tag,
    code,
    named,
  }: {
    readonly tag: string | undefined;
    readonly code: number | null;
    readonly named: string | undefined;
  },
): string {
  if (part.length === 1) return part;
  if (tag !== undefined) return INLINE.has(tag.toLowerCase()) ? "" : "\n";
  if (code !== null) return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "";
  return named === undefined ? "" : (NAMED[named.toLowerCase()] ?? "");
}
