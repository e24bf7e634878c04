import { decodeHTML, decodeHTMLAttribute } from "entities/decode";
import { type HidingAttributes, readHtml } from "./html-tokens.ts";
import { OpenElements } from "./open-elements.ts";

// The text of a page as a reader sees it: what is not shown is left out, blocks are lines, cells are set
// apart. Reading takes a time in proportion to the page, whatever is in it.

const namesOf = (names: string): ReadonlySet<string> => new Set(names.split(" "));

/** Elements that show no text of theirs. Each needs its end tag. */
const UNSHOWN = namesOf(
  "script style noscript noembed noframes template svg iframe object canvas textarea select",
);

/** Elements that begin a line, and end one. */
const BLOCKS = namesOf(
  "p div section article header footer main aside nav h1 h2 h3 h4 h5 h6 ul ol dl dt dd li table tr " +
    "blockquote pre figure figcaption form fieldset address title hr br details summary",
);

/** Elements that an end tag of an inline element does not end. */
const HELD = namesOf(
  [...BLOCKS, "td th caption thead tbody tfoot template object select svg"].join(" "),
);

const VOID = namesOf("area base br col embed hr img input link meta source track wbr");

/** These are there once in a page; scripts show pages that begin hidden. */
const PAGE = namesOf("html head body");

const ZERO = String.raw`\s{0,4}:\s{0,4}0(?:\.0{1,4})?(?![\d.])`;
const HIDDEN_STYLE = new RegExp(
  String.raw`(?<![\w-])(?:display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}(?:hidden|collapse)|(?:font-size|opacity)${ZERO})`,
  "i",
);

/** Units of a `style` that are read. */
const STYLE_UNITS = 2000;

/** @returns lines without blanks around them, and at most one empty line between two; null: too many tags */
export function textOfHtml(html: string): string | null {
  const read = readPage(html, true);
  if (read === null || read.isWhole) return read?.text ?? null;
  // An element that hides and has no end would hide the rest of the page.
  return readPage(html, false)?.text ?? null;
}

function readPage(
  html: string,
  honoursHidden: boolean,
): { readonly text: string; readonly isWhole: boolean } | null {
  const lines = new Lines();
  const elements = new OpenElements();
  const isRead = readHtml(html, {
    open: (name, attributes, isEmpty) => {
      elements.endBefore(name);
      const hides = UNSHOWN.has(name) || (honoursHidden && isHidden(name, attributes));
      const isShown = !hides && !elements.isHidden;
      if (BLOCKS.has(name)) lines.breakLine();
      if (isShown && name === "li") lines.write("- ");
      if (isShown && (name === "td" || name === "th")) lines.breakCell();
      if (isEmpty || VOID.has(name) || PAGE.has(name)) return;
      elements.push(name, HELD.has(name), hides);
    },
    close: (name) => {
      if (elements.end(name, HELD.has(name)) && BLOCKS.has(name)) lines.breakLine();
    },
    text: (text, isPlain) => {
      if (!elements.isHidden) lines.write(isPlain ? text : decodeHTML(text));
    },
  });
  if (!isRead) return null;
  return { text: lines.text(), isWhole: !elements.hidesTheRest };
}

function isHidden(name: string, attributes: HidingAttributes): boolean {
  if (VOID.has(name) || PAGE.has(name)) return false;
  const { hidden, style } = attributes;
  if (hidden !== undefined || attributes["aria-hidden"]?.toLowerCase() === "true") return true;
  if (style === undefined) return false;
  return HIDDEN_STYLE.test(decodeHTMLAttribute(style.slice(0, STYLE_UNITS)));
}

/** What is between two words, from the weakest to the strongest. */
const GAPS = ["", " ", "\t", "\n", "\n\n"] as const;
const [NOTHING, SPACE, CELL, LINE, PARAGRAPH] = [0, 1, 2, 3, 4];

/** Of several gaps in a row the strongest is written, and none at the ends. */
class Lines {
  readonly #parts: string[] = [];
  #gap = NOTHING;

  write(text: string): void {
    const plain = text.replace(/\s{2,}|[^\S ]/g, " ");
    const words = plain.trim();
    if (plain.startsWith(" ")) this.#widen(SPACE);
    if (words === "") return;
    if (this.#parts.length > 0) this.#parts.push(GAPS[this.#gap] ?? "");
    this.#parts.push(words);
    this.#gap = plain.endsWith(" ") ? SPACE : NOTHING;
  }

  breakCell(): void {
    this.#widen(CELL);
  }

  breakLine(): void {
    this.#widen(this.#gap >= LINE ? PARAGRAPH : LINE);
  }

  text(): string {
    return this.#parts.join("");
  }

  #widen(gap: number): void {
    this.#gap = Math.max(this.#gap, gap);
  }
}
