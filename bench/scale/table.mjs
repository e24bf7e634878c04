// Prints each figure of a run beside its bound. Counts and ratios must meet their bounds. Times need not,
// since a busy machine is no bug.
import { say } from "../machine.mjs";

const shown = (/** @type {number} */ value) =>
  value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();

export class Table {
  /** @type {{ name: string, value: number, unit: string, most: number | null, isHeld: boolean }[]} */
  rows = [];

  /** A figure that fails the run if it is above `most`. */
  held(name, value, most, unit = "") {
    this.#add({ name, value, unit, most, isHeld: true });
  }

  /** A figure that is printed beside its aim. */
  told(name, value, unit = "", most = null) {
    this.#add({ name, value, unit, most, isHeld: false });
  }

  #add(row) {
    this.rows.push(row);
    const { name, value, unit, most, isHeld } = row;
    const holds = most === null || value <= most;
    const bound = most === null ? "" : ` (${isHeld ? "bound" : "aim"} ${shown(most)})`;
    const mark = most === null ? "      " : holds ? "met   " : isHeld ? "BROKEN" : "over  ";
    say(`${mark}  ${name}: ${shown(value)}${unit === "" ? "" : ` ${unit}`}${bound}`);
  }

  /** A value that is not a number was not measured, so it is out of bounds too. */
  get broken() {
    return this.rows.filter(
      ({ isHeld, value, most }) => isHeld && most !== null && !(value <= most),
    );
  }
}
