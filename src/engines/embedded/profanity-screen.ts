import {
  type BlacklistedTerm,
  englishRecommendedBlacklistMatcherTransformers,
  type Node,
  type ParsedPattern,
  SyntaxKind,
} from "obscenity";

// Whether a list of `obscenity` can find anything in a text: nothing in nearly all, and its matcher
// asks two hundred expressions and as many innocent words to say so. This asks one expression, on the
// text as the matcher would reduce it. It never says no where the matcher finds something.

/** What most texts are made of, reduced beforehand: a character's code, or none where it is dropped. */
const ASCII = 128;

export function profanityScreen(terms: readonly BlacklistedTerm[]): (text: string) => boolean {
  const any = new RegExp(terms.map(({ pattern }) => sourceOf(pattern)).join("|"), "s");
  return (text) => any.test(reduced(text));
}

/** As obscenity compiles a pattern. */
function sourceOf({ nodes, requireWordBoundaryAtStart, requireWordBoundaryAtEnd }: ParsedPattern) {
  const start = requireWordBoundaryAtStart ? "\\b" : "";
  const end = requireWordBoundaryAtEnd ? "\\b" : "";
  return start + nodes.map(sourceOfNode).join("") + end;
}

function sourceOfNode(node: Node): string {
  switch (node.kind) {
    case SyntaxKind.Literal:
      return String.fromCodePoint(...node.chars).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    case SyntaxKind.Optional:
      return `(?:${sourceOfNode(node.childNode)})?`;
    case SyntaxKind.Wildcard:
      return ".";
  }
}

const TRANSFORMERS = englishRecommendedBlacklistMatcherTransformers;

/** Those that look at one character: confusables, leet and case. */
const byCharacter = (code: number): number | undefined => {
  let read: number | undefined = code;
  for (const transformer of TRANSFORMERS) {
    if ("transform" in transformer && read !== undefined) read = transformer.transform(read);
  }
  return read;
};

const ASCII_READ = Array.from({ length: ASCII }, (_, code) => byCharacter(code));

/** Those that know what came before, and come after the others: repeated letters are dropped. */
const newCollapsers = () =>
  TRANSFORMERS.flatMap((one) => ("factory" in one ? [one.factory()] : []));

function reduced(text: string): string {
  const collapsers = newCollapsers();
  const codes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    let read = code < ASCII ? ASCII_READ[code] : byCharacter(code);
    for (const collapser of collapsers) {
      if (read !== undefined) read = collapser.transform(read);
    }
    if (read !== undefined) codes.push(read);
  }
  return String.fromCodePoint(...codes);
}
