// All tenants into a file: a document, lines, or a table, by its ending.
import { createWriteStream, renameSync, rmSync } from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { csvLine } from "./parse-csv.mjs";

/** What goes before, between and behind the tenants. */
const FORMS = {
  json: {
    head: () => '{"object":"state","tenants":{\n',
    entry: (tenant, settings, isFirst) =>
      `${isFirst ? "" : ",\n"}${JSON.stringify(tenant)}:${JSON.stringify(settings)}`,
    foot: "\n}}\n",
  },
  ndjson: {
    head: () => "",
    entry: (tenant, settings) => `${JSON.stringify({ tenant, settings })}\n`,
    foot: "",
  },
  csv: {
    head: (settings) => csvLine(["tenant", ...Object.keys(settings)]),
    entry: (tenant, settings) => csvLine([tenant, ...Object.values(settings)]),
    foot: "",
  },
};

const formOf = (/** @type {string} */ file) => FORMS[/\.(ndjson|csv)$/.exec(file)?.[1] ?? "json"];

/**
 * A file that was cut short is no file: it gets its name when it is whole.
 *
 * @param {import("./state-client.mjs").StateClient} client
 * @param {string | undefined} file standard output where there is none
 * @returns {Promise<number>} how many tenants
 */
export async function exportState(client, file) {
  const part = `${file}.part`;
  const out = file === undefined ? process.stdout : createWriteStream(part);
  const form = formOf(file ?? "");
  const write = async (/** @type {string} */ text) => {
    if (text !== "" && !out.write(text)) await once(out, "drain");
  };
  let count = 0;
  try {
    for await (const [tenant, settings] of client.state()) {
      if (count === 0) await write(form.head(settings));
      await write(form.entry(tenant, settings, count === 0));
      count += 1;
    }
    if (count === 0) await write(form.head({}));
    await write(form.foot);
  } catch (error) {
    if (file !== undefined) rmSync(part, { force: true });
    throw error;
  }
  if (file !== undefined) {
    out.end();
    await finished(out);
    renameSync(part, file);
  }
  return count;
}
