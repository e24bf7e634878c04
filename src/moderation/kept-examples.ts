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

/** @param read a page before a place, newest first; its calls go on in between */
export async function keptExamples<Failed extends { readonly kind: string }>(
  span: { readonly fromMs: number; readonly toMs: number },
  read: (before: string | null) => Promise<Page | Failed>,
): Promise<(KeptExamples & { readonly kind: "kept" }) | Failed> {
  const examples: LabelledText[] = [];
  let units = 0;
  let before: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const found: Page | Failed = await read(before);
    if (!("examples" in found)) return found;
    for (const example of found.examples) {
      if (examples.length === MOST_KEPT || units >= MOST_KEPT_UNITS) {
        return { kind: "kept", ...span, examples, isAll: false };
      }
      examples.push(example);
      units += example.text.length;
    }
    before = found.next;
    if (before === null) return { kind: "kept", ...span, examples, isAll: true };
  }
  return { kind: "kept", ...span, examples, isAll: false };
}
