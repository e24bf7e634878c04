// Shows progress: a bar on a terminal, elsewhere a line now and then.

const WIDTH = 24;
const EVERY_MS = 5000;

export class ProgressLine {
  #stream;
  #last = "";
  #shownMs = 0;

  constructor(/** @type {NodeJS.WriteStream} */ stream) {
    this.#stream = stream;
  }

  tell(/** @type {string} */ label, /** @type {number} */ done, /** @type {number} */ total) {
    const text = `${label} ${done} of ${total}`;
    if (text === this.#last) return;
    if (this.#stream.isTTY) {
      const full = total === 0 ? WIDTH : Math.floor((WIDTH * done) / total);
      const bar = "#".repeat(full).padEnd(WIDTH, "-");
      this.#stream.write(`\r\u001B[K[${bar}] ${text}`);
    } else {
      const isNews = label !== this.#last.split(" ")[0] || done === total;
      if (!isNews && Date.now() - this.#shownMs < EVERY_MS) return;
      this.#stream.write(`${text}\n`);
    }
    this.#shownMs = Date.now();
    this.#last = text;
  }

  /** Ends the line, so that the next output begins a new one. */
  end() {
    if (this.#stream.isTTY && this.#last !== "") this.#stream.write("\n");
    this.#last = "";
  }
}
