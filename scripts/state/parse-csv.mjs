// Reads tenants from a table (RFC 4180): one tenant a row, its settings in columns with their names.
import { StateFailure } from "./state-failure.mjs";

/** Settings that are texts even if they look like numbers. */
const TEXTS = ["plan", "overage_usd_per_1000_neurons"];

/**
 * The rows of a CSV text, each with the number of its line.
 *
 * @param {string} text
 * @returns {{ line: number, cells: string[] }[]}
 */
export function parseRows(text) {
  const rows = [];
  let cells = [];
  let cell = "";
  let isQuoted = false;
  let line = 1;
  let begun = 1;
  const source = text.replace(/^\uFEFF/, "");
  const endRow = () => {
    cells.push(cell);
    if (cells.length > 1 || cell !== "") rows.push({ line: begun, cells });
    cells = [];
    cell = "";
  };
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at];
    if (character === "\n") line += 1;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (source[at + 1] === '"') {
        cell += character;
        at += 1;
      } else isQuoted = false;
    } else if (character === '"' && cell === "") {
      isQuoted = true;
    } else if (character === ",") {
      cells.push(cell);
      cell = "";
    } else if (character === "\n") {
      endRow();
      begun = line;
    } else if (character !== "\r" || source[at + 1] !== "\n") {
      cell += character;
    }
  }
  if (isQuoted) throw new StateFailure(`Line ${begun}: a quotation mark is not closed.`);
  endRow();
  return rows;
}

/**
 * @param {string} text
 * @returns {Map<string, object>} settings by tenant
 */
export function parseCsv(text) {
  const [head, ...rows] = parseRows(text);
  if (head === undefined) throw new StateFailure("The table is empty.");
  const columns = head.cells.map((name) => name.trim());
  if (!columns.includes("tenant")) {
    throw new StateFailure("Line 1: the table has no column called tenant.");
  }
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw new StateFailure(`Line 1: two columns are called ${twice}.`);
  const tenants = new Map();
  for (const { line, cells } of rows) {
    if (cells.length !== columns.length) {
      throw new StateFailure(
        `Line ${line}: it has ${cells.length} cells, and the table ${columns.length} columns.`,
      );
    }
    const named = Object.fromEntries(columns.map((name, at) => [name, cells[at].trim()]));
    const { tenant } = named;
    if (tenant === "") throw new StateFailure(`Line ${line}: the row names no tenant.`);
    if (tenants.has(tenant)) throw new StateFailure(`Line ${line}: ${tenant} has a row already.`);
    tenants.set(tenant, settingsOf(named, line));
  }
  return tenants;
}

/** The settings of a row. An empty cell means that the setting is not given. */
function settingsOf(/** @type {Record<string, string>} */ cells, /** @type {number} */ line) {
  const settings = {};
  for (const [name, text] of Object.entries(cells)) {
    if (name === "tenant" || text === "") continue;
    const [field, key] = name.split(/\.(.*)/s);
    if (key !== undefined && Object.hasOwn(cells, field) && cells[field] !== "") {
      throw new StateFailure(`Line ${line}: ${field} and ${name} give the same setting.`);
    }
    if (key === undefined) settings[field] = valueOf(field, text);
    else settings[field] = { ...settings[field], [key]: valueOf(field, text) };
  }
  return settings;
}

/** Numbers, true, false, null, lists and objects are written as in JSON. Anything else is a text. */
function valueOf(/** @type {string} */ field, /** @type {string} */ text) {
  if (TEXTS.includes(field)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const cellOf = (/** @type {unknown} */ value) => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line of a table. @param {readonly unknown[]} values */
export const csvLine = (values) => `${values.map(cellOf).join(",")}\n`;
