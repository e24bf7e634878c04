import {
  type KeptExamples,
  type LabelledText,
  MOST_KEPT,
} from "../domain/moderation/labelled-text.ts";

// Texts with a person's judgement that the tenant keeps, read page by page from its object.

const MOST_KEPT_UNITS = 2_000_000;

/** Steps of the object; many verdicts may have no text any more. */
const MOST_PAGES = 60;

interface Page {
  readonly kind: "examples";
  readonly examples: readonly LabelledText[];
  readonly next: string | null;
}

type ReadPage<Failed> = (before: string | null) => Promise<Page | Failed>;

/** @param sources each reads a page before a place, newest first; other calls go on in between */
export async function keptExamples<Failed extends { readonly kind: string }>(
  span: { readonly fromMs: number; readonly toMs: number },
  sources: readonly ReadPage<Failed>[],
): Promise<(KeptExamples & { readonly kind: "kept" }) | Failed> {
  const examples: LabelledText[] = [];
  let units = 0;
  for (const read of sources) {
    let before: string | null = null;
    let pages = 0;
    do {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const found: Page | Failed = await read(before);
      if (!("examples" in found)) return found;
      pages += 1;
      before = found.next;
      for (const example of found.examples) {
        const isFull = examples.length === MOST_KEPT || units >= MOST_KEPT_UNITS;
        if (isFull) return { kind: "kept", ...span, examples, isAll: false };
        examples.push(example);
        units += example.text.length;
      }
      if (pages === MOST_PAGES && before !== null) {
        return { kind: "kept", ...span, examples, isAll: false };
      }
    } while (before !== null);
  }
  return { kind: "kept", ...span, examples, isAll: true };
}
