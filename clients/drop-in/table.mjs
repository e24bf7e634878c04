// Writes docs/clients.md from a run, and reads what works from the committed one.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CLIENTS, FAILING, FEATURES } from "./clients.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/clients.md", import.meta.url));

/** The client does not have the feature. */
const NONE = "–";

/**
 * A row: the versions, and for each feature "yes", "no", "–" or, of odd answers, "16 of 17".
 *
 * @typedef {{ versions: string, works: Record<string, string> }} Row
 */

/** @returns {Map<string, Row>} the rows of the committed page, by the client's name */
export function committedRows() {
  const rows = new Map();
  if (!existsSync(PAGE)) return rows;
  for (const line of readFileSync(PAGE, "utf8").split("\n")) {
    const [, name, versions, ...cells] = line.split("|").map((cell) => cell.trim());
    if (!CLIENTS.some((client) => client.name === name)) continue;
    const features = Object.keys(FEATURES);
    if (cells.length < features.length) continue;
    rows.set(name, {
      versions,
      works: Object.fromEntries(features.map((feature, at) => [feature, cells[at]])),
    });
  }
  return rows;
}

/**
 * The row of a client that was driven.
 *
 * @param {string[]} versions
 * @param {{ feature: string, works: boolean }[]} found
 * @returns {Row}
 */
export function rowOf(versions, found) {
  const works = Object.fromEntries(
    Object.keys(FEATURES).map((feature) => {
      const all = found.filter((one) => one.feature === feature);
      const good = all.filter((one) => one.works);
      if (all.length === 0) return [feature, NONE];
      if (feature === "odd") return [feature, `${good.length} of ${all.length}`];
      return [feature, good.length === all.length ? "yes" : "no"];
    }),
  );
  return { versions: versions.join(", "), works };
}

/**
 * Writes the page, in the form that the formatter gives it.
 *
 * @param {Map<string, Row>} rows
 * @param {{ name: string }[]} odd
 */
export function writePage(rows, odd) {
  writeFileSync(PAGE, pageOf(rows, odd));
  const formatter = fileURLToPath(new URL("../../node_modules/oxfmt/bin/oxfmt", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [formatter, PAGE], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`docs/clients.md could not be formatted: ${stderr}`);
}

const line = (cells) => `| ${cells.join(" | ")} |`;

function tableOf(head, rows) {
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function pageOf(rows, odd) {
  const features = Object.keys(FEATURES);
  const there = CLIENTS.filter(({ name }) => rows.has(name));
  const works = there.map(({ name }) => {
    const { versions, works: cells } = rows.get(name);
    return [name, versions, ...features.map((feature) => cells[feature])];
  });
  const failing = FAILING.filter(({ client }) => rows.has(client)).map(
    ({ client, feature, because }) => `- **${client}**, ${feature}: ${because}`,
  );
  return `# Clients

This page is for developers who use the gateway with a client that they already have: which clients were tried, in which version, and what works. \`npm run test:clients\` writes it. The run drives each client against a real server with a scripted engine behind it, and fails when this page says something else. A client whose language is not installed is skipped, and its row stays as it was.

Each client is given an address and a key of a tenant, and nothing else; models are named as in \`GET /v1/models\`, or by an alias of the tenant.

## What works

${tableOf(["client", "version", ...features], works)}

"–" means that the client has no such feature, or that it was not tried. The columns:

${Object.entries(FEATURES)
  .map(([feature, what]) => `- **${feature}**: ${what}`)
  .join("\n")}

## What does not work

${failing.length === 0 ? "Nothing of what was tried." : failing.join("\n")}

## Where the address goes

${tableOf(
  ["client", "address"],
  CLIENTS.map(({ name, address }) => [name, address]),
)}

## The odd answers

What engines send beside the usual forms. Each is an answer that the client must show whole, with its reason for ending and its tokens where the client shows them. After a lost connection, an error event and an answer without choices the client must report an error of its own, and must not show half of an answer as a whole one. A streamed answer without content may be such an error too: some clients name the reason for its end that way.

${odd.map(({ name }) => `- ${name}`).join("\n")}
`;
}
