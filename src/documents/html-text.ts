import { decodeHTML } from "entities/decode";

// The text of a page as a reader sees it: what is not shown is left out, blocks are lines, cells are set
// apart. The runtime's own parser reads the page; it leaves character references as they are.

const namesOf = (names: string): ReadonlySet<string> => new Set(names.split(" "));

/** Elements that show no text of theirs. Each needs its end tag. */
const UNSHOWN = namesOf("script style noscript template svg iframe object canvas textarea select");

/** Elements that begin a line, and end one. */
const BLOCKS = namesOf(
  "p div section article header footer main aside nav h1 h2 h3 h4 h5 h6 ul ol dl dt dd li table tr " +
    "blockquote pre figure figcaption form fieldset address title hr br details summary",
);

const VOID = namesOf("area base br col embed hr img input link meta source track wbr");

/** Of these an end tag may be missing, so nothing of a page is hidden by them. */
const MAY_BE_OPEN = new Set(
  "p li td th tr dd dt option thead tbody tfoot html body head".split(" "),
);

const HIDDEN_STYLE =
  /(?:display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}hidden|font-size\s{0,4}:\s{0,4}0(?![\d.]))/i;

/** @returns lines without blanks around them, and at most one empty line between two */
export async function textOfHtml(html: string): Promise<string> {
  const read = await readPage(html, true);
  // An element that hides and has no end would hide the rest of the page.
  const { parts } = read.isWhole ? read : await readPage(html, false);
  return tidied(parts.join(""));
}

async function readPage(
  html: string,
  honoursHidden: boolean,
): Promise<{ readonly parts: readonly string[]; readonly isWhole: boolean }> {
  const parts: string[] = [];
  let hidden = 0;
  let raw = "";
  const rewriter = new HTMLRewriter()
    .on("*", {
      element(element) {
        const { tagName } = element;
        const isBlock = BLOCKS.has(tagName);
        const hides = UNSHOWN.has(tagName) || (honoursHidden && isHidden(element));
        if (isBlock) parts.push(tagName === "li" ? "\n- " : "\n");
        if (tagName === "td" || tagName === "th") parts.push("\t");
        if (hides) hidden += 1;
        // An element has one handler of its end.
        if (VOID.has(tagName) || !(isBlock || hides)) return;
        element.onEndTag(() => {
          if (isBlock) parts.push("\n");
          if (hides) hidden -= 1;
        });
      },
    })
    .onDocument({
      text(chunk) {
        if (hidden === 0) raw += chunk.text;
        if (!chunk.lastInTextNode) return;
        // A reference may be cut between two chunks, so a whole node is decoded.
        parts.push(decodeHTML(raw).replace(/\s+/g, " "));
        raw = "";
      },
    });
  await rewriter.transform(new Response(html)).arrayBuffer();
  return { parts, isWhole: hidden === 0 };
}

function isHidden(element: Element): boolean {
  if (MAY_BE_OPEN.has(element.tagName) || VOID.has(element.tagName)) return false;
  if (element.hasAttribute("hidden") || element.getAttribute("aria-hidden") === "true") return true;
  return HIDDEN_STYLE.test(element.getAttribute("style") ?? "");
}

const tidied = (text: string): string =>
  text
    .split("\n")
    .map((line) =>
      line
        .replace(/[ \u00a0]*\t[ \u00a0\t]*/g, "\t")
        .replace(/ {2,}/g, " ")
        .trim(),
    )
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
