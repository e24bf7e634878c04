// The tags and texts of a page, as the HTML standard cuts it: one pass forwards, no stack, nothing refused.
// An end that never comes is looked for once, since the rest of the page belongs to what has no end.

/** Of the attributes of an element those that can hide it, as they are written. */
export interface HidingAttributes {
  readonly hidden?: string;
  readonly "aria-hidden"?: string;
  readonly style?: string;
}

export interface HtmlReader {
  /** @param isEmpty it ends with its own tag */
  readonly open: (name: string, attributes: HidingAttributes, isEmpty: boolean) => void;
  readonly close: (name: string) => void;
  /** @param isPlain an ampersand is an ampersand in it, not the start of a character reference */
  readonly text: (text: string, isPlain: boolean) => void;
}

/** What is in these is no markup, up to their end tag. */
const RAW = new Set(
  "script style title textarea xmp iframe noembed noframes noscript plaintext".split(" "),
);

/** Of these the text is not given to the reader: no browser shows it. */
const DROPPED = new Set("script style iframe noembed noframes noscript".split(" "));

/** Character references are read in these as in any text. */
const REFERENCES = new Set(["title", "textarea"]);

/** Elements of other languages: an element in them may end with its own tag, and none is raw. */
const FOREIGN = new Set(["svg", "math"]);

const WANTED: ReadonlySet<string> = new Set(["hidden", "aria-hidden", "style"]);

const [TAB, SPACE, EXCLAMATION, SLASH, EQUALS, GREATER, QUESTION] = [9, 32, 33, 47, 61, 62, 63];

const isSpace = (code: number): boolean => code === SPACE || (code >= TAB && code <= 13);

const isLetter = (code: number): boolean => {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
};

/** Tags and comments of a page at most: a book in HTML has fewer. */
export const MOST_TAGS = 250_000;

/** @returns false: it has more tags, and was read up to there */
export function readHtml(html: string, reader: HtmlReader): boolean {
  let tags = 0;
  let foreign = 0;
  let textFrom = 0;
  let at = html.indexOf("<");
  const textUntil = (end: number): void => {
    if (end > textFrom) reader.text(html.slice(textFrom, end), false);
  };
  while (at >= 0) {
    const start = at;
    const second = html.charCodeAt(at + 1);
    const isEnd = second === SLASH && isLetter(html.charCodeAt(at + 2));
    if (isEnd || isLetter(second)) {
      tags += 1;
      if (tags > MOST_TAGS) return false;
      textUntil(start);
      const tag = readTag(html, at + (isEnd ? 2 : 1));
      // A tag that is cut off is no text either.
      if (tag === null) return true;
      const { name } = tag;
      at = tag.end;
      if (isEnd) {
        if (FOREIGN.has(name)) foreign = Math.max(0, foreign - 1);
        reader.close(name);
      } else {
        const isEmpty = tag.closesItself && (foreign > 0 || FOREIGN.has(name));
        reader.open(name, tag.attributes, isEmpty);
        if (FOREIGN.has(name) && !isEmpty) foreign += 1;
        if (foreign === 0 && RAW.has(name)) {
          const end = rawEnd(html, name, at);
          if (end > at && !DROPPED.has(name)) {
            reader.text(html.slice(at, end), !REFERENCES.has(name));
          }
          at = end;
        }
      }
      textFrom = at;
    } else {
      const end = otherEnd(html, at, foreign > 0);
      if (end !== null) {
        tags += 1;
        if (tags > MOST_TAGS) return false;
        textUntil(start);
        if (end.text !== null) reader.text(end.text, true);
        at = end.end;
        textFrom = at;
      } else at += 1;
    }
    at = html.indexOf("<", at);
  }
  textUntil(html.length);
  return true;
}

/** What begins with `<` and is no tag: a comment and the like; null: it is text. */
function otherEnd(
  html: string,
  at: number,
  isForeign: boolean,
): { readonly end: number; readonly text: string | null } | null {
  const second = html.charCodeAt(at + 1);
  if (second !== EXCLAMATION && second !== QUESTION && second !== SLASH) return null;
  if (html.startsWith("<!--", at)) return { end: commentEnd(html, at + 4), text: null };
  if (isForeign && html.startsWith("<![CDATA[", at)) {
    const end = endOf(html, "]]>", at + 9);
    const text = html.slice(at + 9, end).replace(/\]\]>$/, "");
    return { end, text };
  }
  // `</` before the end of the page is text.
  return at + 2 < html.length ? { end: endOf(html, ">", at + 2), text: null } : null;
}

function endOf(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from);
  return at < 0 ? html.length : at + mark.length;
}

/** @param from behind `<!--` */
function commentEnd(html: string, from: number): number {
  if (html.charAt(from) === ">") return from + 1;
  if (html.startsWith("->", from)) return from + 2;
  const pattern = /--!?>/g;
  pattern.lastIndex = from;
  return pattern.exec(html) === null ? html.length : pattern.lastIndex;
}

/** The place of the end tag of an element whose content is no markup. */
function rawEnd(html: string, name: string, from: number): number {
  if (name === "plaintext") return html.length;
  if (name === "script") return scriptEnd(html, from);
  const pattern = new RegExp(`</${name}(?=[\\s/>])`, "gi");
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? html.length;
}

/** A script within a comment of a script has an end tag of its own. */
function scriptEnd(html: string, from: number): number {
  const pattern = /<!--|-->|<(\/?)script(?=[\s/>])/gi;
  pattern.lastIndex = from;
  let inComment = false;
  let inner = false;
  for (let found = pattern.exec(html); found !== null; found = pattern.exec(html)) {
    const [written, slash] = found;
    if (written === "<!--") {
      inComment = true;
      // `<!-->` ends too.
      pattern.lastIndex -= 2;
    } else if (written === "-->") [inComment, inner] = [false, false];
    else if (slash === "") inner = inComment;
    else if (inner) inner = false;
    else return found.index;
  }
  return html.length;
}

interface Tag {
  readonly name: string;
  readonly attributes: HidingAttributes;
  readonly closesItself: boolean;
  readonly end: number;
}

const NONE: HidingAttributes = {};

/** @param from where its name begins. Null: the page ends before the tag. */
function readTag(html: string, from: number): Tag | null {
  let at = from;
  while (at < html.length && !endsName(html.charCodeAt(at))) at += 1;
  const name = html.slice(from, at).toLowerCase();
  let attributes: Record<string, string> | null = null;
  let closesItself = false;
  while (at < html.length) {
    const code = html.charCodeAt(at);
    if (code === GREATER)
      return { name, attributes: attributes ?? NONE, closesItself, end: at + 1 };
    if (code === SLASH || isSpace(code)) {
      closesItself = code === SLASH;
      at += 1;
      continue;
    }
    closesItself = false;
    const attribute = readAttribute(html, at);
    if (attribute === null) return null;
    at = attribute.end;
    const written = attribute.name.toLowerCase();
    if (!WANTED.has(written)) continue;
    // The first of a name counts.
    attributes ??= {};
    attributes[written] ??= attribute.value;
  }
  return null;
}

const endsName = (code: number): boolean => code === GREATER || code === SLASH || isSpace(code);

/** Null: its value has no end. */
function readAttribute(
  html: string,
  from: number,
): { readonly name: string; readonly value: string; readonly end: number } | null {
  let at = from + 1;
  while (at < html.length && !endsName(html.charCodeAt(at)) && html.charCodeAt(at) !== EQUALS) {
    at += 1;
  }
  const name = html.slice(from, at);
  at = spacesEnd(html, at);
  if (html.charCodeAt(at) !== EQUALS) return { name, value: "", end: at };
  at = spacesEnd(html, at + 1);
  const quote = html.charAt(at);
  if (quote === '"' || quote === "'") {
    const end = html.indexOf(quote, at + 1);
    return end < 0 ? null : { name, value: html.slice(at + 1, end), end: end + 1 };
  }
  const start = at;
  while (at < html.length && html.charCodeAt(at) !== GREATER && !isSpace(html.charCodeAt(at))) {
    at += 1;
  }
  return { name, value: html.slice(start, at), end: at };
}

function spacesEnd(html: string, from: number): number {
  let at = from;
  while (isSpace(html.charCodeAt(at))) at += 1;
  return at;
}
