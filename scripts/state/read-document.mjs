// Reads a file of tenants: a document for `PUT /admin/state`, its lines, or a table.
import { readFileSync } from "node:fs";
import { repeatedName } from "../../src/domain/text/json-text.ts";
import { parseCsv } from "./parse-csv.mjs";
import { StateFailure } from "./state-failure.mjs";

/** The server's limits for one part. */
const MOST_TENANTS = 500;
const MOST_BYTES = 1_000_000;
const MOST_PARTS = 200;

/** @typedef {{ tenants: Map<string, object>, prune: boolean }} StateDocument */

/** The members of a document that are true or false. */
const FLAGS = ["prune", "issue_keys", "has_more"];

/**
 * @param {string} file
 * @param {boolean} pruned whether the command asks to suspend the tenants that the file does not name
 * @returns {StateDocument}
 */
export function readDocument(file, pruned) {
  const text = readText(file);
  if (file.endsWith(".csv")) return { tenants: parseCsv(text), prune: pruned };
  if (file.endsWith(".ndjson")) return { tenants: parseLines(text), prune: pruned };
  const document = parse(text, file);
  const { tenants } = document;
  if (typeof tenants !== "object" || tenants === null || Array.isArray(tenants)) {
    throw new StateFailure(`${file}: the document has no object called tenants.`);
  }
  if (document.issue_keys === true) {
    throw new StateFailure(
      `${file}: issue_keys works only with PUT /admin/state of at most ${MOST_TENANTS} tenants, whose reply shows the keys.`,
    );
  }
  const odd = FLAGS.find((name) => typeof (document[name] ?? false) !== "boolean");
  if (odd !== undefined) throw new StateFailure(`${file}: ${odd} must be true or false.`);
  const prune = pruned || document.prune === true;
  if (prune && document.has_more === true) {
    throw new StateFailure(`${file}: a document that is one page of several must not prune.`);
  }
  return { tenants: new Map(Object.entries(tenants)), prune };
}

function readText(/** @type {string} */ file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new StateFailure(`${file} cannot be read: ${error.code ?? error.message}.`);
  }
}

function parse(/** @type {string} */ text, /** @type {string} */ where) {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return once(value, text, where);
  } catch (error) {
    if (error instanceof StateFailure) throw error;
    // Reported below, without repeating the text.
  }
  throw new StateFailure(`${where}: this is not a JSON object.`);
}

/** JSON.parse takes the last of two values of one name: of two rows of a tenant the first would be lost. */
function once(
  /** @type {object} */ value,
  /** @type {string} */ text,
  /** @type {string} */ where,
) {
  const twice = repeatedName(text);
  if (twice === null) return value;
  throw new StateFailure(`${where}: ${twice.join("/")} is there twice.`);
}

/** Reads lines as in a reply to `Accept: application/x-ndjson`. */
function parseLines(/** @type {string} */ text) {
  const tenants = new Map();
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const { tenant, settings } = parse(line, `Line ${at + 1}`);
    if (typeof tenant !== "string" || typeof settings !== "object") {
      throw new StateFailure(`Line ${at + 1}: a line must have a tenant and its settings.`);
    }
    if (tenants.has(tenant)) throw new StateFailure(`Line ${at + 1}: ${tenant} is there twice.`);
    tenants.set(tenant, settings);
  }
  return tenants;
}

/**
 * The bodies of the parts. They are the same for the same document, so that a part can be sent again.
 *
 * @param {StateDocument} document
 * @returns {string[]}
 */
export function partsOf({ tenants, prune }) {
  const parts = [];
  let entries = [];
  let bytes = 0;
  const end = () => {
    parts.push(`{"object":"state","prune":${prune},"tenants":{${entries.join(",")}}}`);
    entries = [];
    bytes = 0;
  };
  for (const [tenant, settings] of [...tenants].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = `${JSON.stringify(tenant)}:${JSON.stringify(settings)}`;
    const size = Buffer.byteLength(entry) + 1;
    if (entries.length === MOST_TENANTS || (entries.length > 0 && bytes + size > MOST_BYTES)) end();
    entries.push(entry);
    bytes += size;
  }
  if (entries.length > 0) end();
  if (parts.length === 0) throw new StateFailure("The document names no tenant.");
  if (parts.length > MOST_PARTS) {
    throw new StateFailure(
      `The document has ${parts.length} parts and one apply takes at most ${MOST_PARTS}: split it.`,
    );
  }
  return parts;
}
