// The open elements of a page, as far as they say what is hidden. Each step takes a constant time: an
// element knows the one of its name before it, so nothing is searched.

interface OpenElement {
  readonly name: string;
  readonly hides: boolean;
  /** The places of the element of its name before it, and of the last block before it; -1: none. */
  readonly before: number;
  readonly blockBefore: number;
}

const namesOf = (names: string): readonly string[] => names.split(" ");

/** Browsers keep as many levels too. A deeper element is not counted. */
export const MOST_LEVELS = 512;

const CELL = namesOf("td th caption table template object");
const LIST = namesOf("ul ol dl td th caption table template object");

interface Ended {
  readonly ends: readonly string[];
  /** An element beyond these stays open. */
  readonly within: readonly string[];
}

const each = (names: string, ended: Ended): readonly (readonly [string, Ended])[] =>
  namesOf(names).map((name) => [name, ended] as const);

/** The elements that a start tag ends although they have no end tag. */
const ENDED: ReadonlyMap<string, Ended> = new Map([
  ...each(
    "address article aside blockquote details div dl fieldset figcaption figure footer form h1 h2 h3 " +
      "h4 h5 h6 header hr main nav ol p pre section table ul",
    { ends: ["p"], within: [...CELL, "button"] },
  ),
  ...each("li", { ends: ["li", "p"], within: LIST }),
  ...each("dd dt", { ends: ["dd", "dt", "p"], within: LIST }),
  ...each("td th", { ends: ["td", "th"], within: ["table"] }),
  ...each("tr", { ends: ["td", "th", "tr"], within: ["table"] }),
  ...each("tbody thead tfoot", {
    ends: ["td", "th", "tr", "tbody", "thead", "tfoot"],
    within: ["table"],
  }),
]);

/** How far an end tag reaches. */
const REACH: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["table", []],
  ["template", []],
  ["object", []],
  ["li", LIST],
  ...namesOf("td th tr tbody thead tfoot caption").map((name) => [name, ["table"]] as const),
]);

/** Of these an end tag may be missing. */
const MAY_BE_OPEN: ReadonlySet<string> = new Set(
  namesOf("p li td th tr dd dt option thead tbody tfoot"),
);

export class OpenElements {
  readonly #open: OpenElement[] = [];
  readonly #last = new Map<string, number>();
  #lastBlock = -1;
  #hiding = 0;

  get isHidden(): boolean {
    return this.#hiding > 0;
  }

  /** Whether an element hides the rest of the page because its end tag is missing. */
  get hidesTheRest(): boolean {
    return this.#open.some(({ name, hides }) => hides && !MAY_BE_OPEN.has(name));
  }

  /** Ends the elements that a start tag of that name ends. */
  endBefore(name: string): void {
    const ended = ENDED.get(name);
    if (ended === undefined) return;
    if (this.#lastOf(ended.ends) < 0) return;
    const around = this.#lastOf(ended.within);
    let first = Infinity;
    for (const one of ended.ends) {
      const place = this.#last.get(one) ?? -1;
      if (place > around) first = Math.min(first, place);
    }
    this.#endFrom(first);
  }

  push(name: string, isBlock: boolean, hides: boolean): void {
    if (this.#open.length >= MOST_LEVELS) return;
    const place = this.#open.length;
    const before = this.#last.get(name) ?? -1;
    this.#open.push({ name, hides, before, blockBefore: this.#lastBlock });
    this.#last.set(name, place);
    if (isBlock) this.#lastBlock = place;
    if (hides) this.#hiding += 1;
  }

  /** @returns whether such an element was open where the tag can end it */
  end(name: string, isBlock: boolean): boolean {
    const place = this.#lastOf([name]);
    const around = isBlock ? this.#lastOf(REACH.get(name) ?? CELL) : this.#lastBlock;
    if (place < 0 || place < around) return false;
    this.#endFrom(place);
    return true;
  }

  #lastOf(names: readonly string[]): number {
    let last = -1;
    for (const name of names) last = Math.max(last, this.#last.get(name) ?? -1);
    return last;
  }

  #endFrom(place: number): void {
    while (this.#open.length > place) {
      const ended = this.#open.pop();
      if (ended === undefined) return;
      if (ended.before < 0) this.#last.delete(ended.name);
      else this.#last.set(ended.name, ended.before);
      this.#lastBlock = ended.blockBefore;
      if (ended.hides) this.#hiding -= 1;
    }
  }
}
