import { normalForm } from "../text/normal-form.ts";
import { withoutUnseen } from "../text/normalise.ts";

// How terms are compared for a policy from before terms had a `match`: on folded text, as whole words; an
// allow term cancels overlapping matches. Marks of every script are folded, so Thai vowels do not count. The
// next PUT of the policy changes to the present rules (`term-match.ts`).
//
// A list becomes a tree of letters once, and the text is matched against it in one pass: a thousand terms
// cost about as much as one, and no text costs more than its length times the longest term.

/** A half-open range in folded text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const MARKS = /\p{M}+/gu;

/**
 * A run of letters and digits, in which no word begins or ends. Scripts without spaces are excluded: their
 * words have no visible ends.
 */
const WORD =
  /[[\p{L}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]]+/gv;

/**
 * Compatibility form, without marks or invisible characters, white space as one space. Lower case by way of
 * upper case, so that `ß` and `ẞ` become `ss`, and a dotless `ı` an `i`.
 */
export const fold = (text: string): string =>
  withoutUnseen(normalForm(text, "NFKD"))
    .replace(MARKS, "")
    .normalize("NFKC")
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replace(/\s+/gu, " ");

/** A node of the tree of terms: the letters that may follow, and the terms that end here. */
interface Node {
  readonly next: Map<number, Node>;
  /** Indexes into the list; two terms may fold to the same. */
  readonly terms: number[];
}

const newNode = (): Node => ({ next: new Map(), terms: [] });

function treeOf(terms: readonly string[]): Node {
  const root = newNode();
  for (const [index, term] of terms.entries()) {
    const needle = fold(term).trim();
    if (needle === "") continue;
    let node = root;
    for (let at = 0; at < needle.length; at += 1) {
      const unit = needle.charCodeAt(at);
      const next = node.next.get(unit) ?? newNode();
      node.next.set(unit, next);
      node = next;
    }
    node.terms.push(index);
  }
  return root;
}

/**
 * The trees of lists. A policy's lists are the same objects in all calls while the router keeps the policy.
 */
const TREES = new WeakMap<readonly string[], Node>();

function keptTree(terms: readonly string[]): Node {
  const tree = TREES.get(terms) ?? treeOf(terms);
  TREES.set(terms, tree);
  return tree;
}

/** 1 at each place where a word may begin or end. */
function edgesOf(folded: string): Uint8Array {
  const edges = new Uint8Array(folded.length + 1).fill(1);
  for (const { index, 0: word } of folded.matchAll(WORD)) {
    edges.fill(0, index + 1, index + word.length);
  }
  return edges;
}

interface Match extends Range {
  readonly node: Node;
}

/** The places of terms as whole words, ordered by their start. */
function* matchesIn(folded: string, edges: Uint8Array, tree: Node): Generator<Match> {
  for (let start = 0; start < folded.length; start += 1) {
    if (edges[start] === 0) continue;
    let node: Node | undefined = tree;
    for (let end = start; node !== undefined; end += 1) {
      if (node.terms.length > 0 && edges[end] === 1) yield { start, end, node };
      node = node.next.get(folded.charCodeAt(end));
    }
  }
}

/** The places of `term` in `folded` as whole words. */
export const findTerm = (folded: string, term: string): Range[] =>
  [...matchesIn(folded, edgesOf(folded), treeOf([term]))].map(({ start, end }) => ({ start, end }));

export interface TermMatches {
  /** Indexes into `terms.block` of the terms that match outside every allowed place. */
  readonly blocked: readonly number[];
  /** How many distinct spam phrases match outside every allowed place. */
  readonly spamPhrases: number;
  readonly hasAllowed: boolean;
  /** The folded text with spaces in the allowed places: the text for our own text model. */
  readonly unallowed: string;
}

export function matchTerms(
  text: string,
  lists: {
    readonly block: readonly string[];
    readonly allow: readonly string[];
    readonly spam: readonly string[];
  },
): TermMatches {
  const folded = fold(text);
  const edges = edgesOf(folded);
  const allowed = rangesOf(matchesIn(folded, edges, keptTree(lists.allow)));
  const before = lengthBefore(allowed, folded.length);
  const found = (terms: readonly string[]): Set<Node> => {
    const nodes = new Set<Node>();
    for (const { start, end, node } of matchesIn(folded, edges, keptTree(terms))) {
      if (before[start] === before[end]) nodes.add(node);
    }
    return nodes;
  };
  const blocked = [...found(lists.block)].flatMap(({ terms }) => terms);
  return {
    blocked: blocked.toSorted((a, b) => a - b),
    // Phrases that fold to the same text end at the same node of the tree.
    spamPhrases: found(lists.spam).size,
    hasAllowed: allowed.length > 0,
    unallowed: blank(folded, allowed),
  };
}

/** The union of matches ordered by start: ranges that do not touch. */
function rangesOf(matches: Iterable<Range>): Range[] {
  const ranges: Range[] = [];
  for (const { start, end } of matches) {
    const last = ranges.at(-1);
    if (last === undefined || start > last.end) ranges.push({ start, end });
    else ranges[ranges.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return ranges;
}

/** How many characters before each place are in `ranges`. */
function lengthBefore(ranges: readonly Range[], length: number): Uint32Array {
  const before = new Uint32Array(length + 1);
  for (const { start, end } of ranges) before.fill(1, start + 1, end + 1);
  for (let at = 1; at <= length; at += 1) before[at] = (before[at] ?? 0) + (before[at - 1] ?? 0);
  return before;
}

function blank(text: string, ranges: readonly Range[]): string {
  let blanked = "";
  let done = 0;
  for (const { start, end } of ranges) {
    blanked += text.slice(done, start) + " ".repeat(end - start);
    done = end;
  }
  return blanked + text.slice(done);
}
