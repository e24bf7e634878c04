import { field } from "../engine-call.ts";

// Which parts of a schema are being filled within themselves: a model that contains itself takes its
// shortest form there.

/** The most parts of one `allOf` that are looked at. */
const MAX_PARTS = 1000;

/** The references of a part: its own, and those of its `allOf`. */
function refsIn(part: unknown): readonly string[] {
  const parts = field(part, "allOf");
  const all = Array.isArray(parts) ? [part, ...parts.slice(0, MAX_PARTS)] : [part];
  return all.flatMap((one) => {
    const ref = field(one, "$ref");
    return typeof ref === "string" ? [ref] : [];
  });
}

export const hasRef = (part: unknown): boolean => refsIn(part).length > 0;

export class Repeats {
  /** The references that are being filled, and how often: the whole schema is one. */
  readonly #open = new Map<string, number>([["#", 1]]);
  #within = 0;

  /** Whether a part is being filled within itself. */
  get isWithin(): boolean {
    return this.#within > 0;
  }

  /** Whether this part is being filled already. */
  comesAgain(part: unknown): boolean {
    return refsIn(part).some((ref) => this.#count(ref) > 0);
  }

  /** @returns what is called when the part is filled */
  enter(part: unknown): () => void {
    const refs = refsIn(part);
    if (refs.length === 0) return () => {};
    const isAgain = refs.some((ref) => this.#count(ref) > 0);
    this.#add(refs, 1, isAgain);
    return () => this.#add(refs, -1, isAgain);
  }

  #count(ref: string): number {
    return this.#open.get(ref) ?? 0;
  }

  #add(refs: readonly string[], by: number, isAgain: boolean): void {
    for (const ref of refs) this.#open.set(ref, this.#count(ref) + by);
    if (isAgain) this.#within += by;
  }
}
