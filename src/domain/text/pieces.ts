// A normal form while it is built, piece by piece.

export interface Normalised {
  readonly text: string;
  /** Where the pieces of `text` come from; null: each unit is at the same place in the original. */
  readonly pieces: Pieces | null;
}

/** Runs of plain characters, and each other character with its marks. */
export interface Pieces {
  /** Where each piece begins in the normal form, and where it begins and ends in the original. */
  readonly at: Int32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
}

const twice = (from: Int32Array): Int32Array<ArrayBuffer> => {
  const made = new Int32Array(from.length * 2);
  made.set(from);
  return made;
};

export class Output {
  #text = "";
  #pieces = 0;
  #at = new Int32Array(64);
  #start = new Int32Array(64);
  #end = new Int32Array(64);

  write(text: string, start: number, end: number): void {
    if (text === "") return;
    if (this.#pieces === this.#at.length) this.#grow();
    this.#at[this.#pieces] = this.#text.length;
    this.#start[this.#pieces] = start;
    this.#end[this.#pieces] = end;
    this.#pieces += 1;
    this.#text += text;
  }

  #grow(): void {
    this.#at = twice(this.#at);
    this.#start = twice(this.#start);
    this.#end = twice(this.#end);
  }

  finish(): Normalised {
    const cut = (from: Int32Array): Int32Array => from.subarray(0, this.#pieces);
    const pieces = { at: cut(this.#at), start: cut(this.#start), end: cut(this.#end) };
    return { text: this.#text, pieces };
  }
}
