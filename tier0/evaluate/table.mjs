// The rows of the report: a figure, the bar that it must reach, and the aim.

/** @typedef {{ name: string, figure: number | string, bar?: string, aim?: string, passed?: boolean }} Line */

const shown = (/** @type {number | string} */ figure) =>
  typeof figure === "string" ? figure : figure.toFixed(figure >= 10 ? 1 : 3);

/**
 * @param {string} name
 * @param {number} figure
 * @param {number} bar
 * @param {number} [aim]
 * @returns {Line}
 */
export const atLeast = (name, figure, bar, aim) => ({
  name,
  figure,
  bar: `>= ${bar}`,
  passed: figure >= bar,
  ...(aim === undefined ? {} : { aim: String(aim) }),
});

/**
 * @param {string} name
 * @param {number} figure
 * @param {number} bar
 * @param {number} [aim]
 * @returns {Line}
 */
export const atMost = (name, figure, bar, aim) => ({
  name,
  figure,
  bar: `<= ${bar}`,
  passed: figure <= bar,
  ...(aim === undefined ? {} : { aim: String(aim) }),
});

/** @returns {Line} */
export const forInformation = (
  /** @type {string} */ name,
  /** @type {number | string} */ figure,
) => ({
  name,
  figure,
});

export function print(/** @type {string} */ title, /** @type {readonly Line[]} */ lines) {
  console.log(`\n${title}`);
  const width = Math.max(...lines.map(({ name }) => name.length));
  for (const { name, figure, bar = "", aim, passed } of lines) {
    const verdict = passed === undefined ? "" : passed ? "pass" : "MISS";
    const wanted = aim === undefined ? bar : `${bar} (${aim})`;
    console.log(
      `  ${name.padEnd(width)}  ${shown(figure).padStart(7)}  ${wanted.padEnd(17)} ${verdict}`.trimEnd(),
    );
  }
}
