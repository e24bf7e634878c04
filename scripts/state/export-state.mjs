// Writes all tenants into a file: a document, lines or a table, by the file's ending.
import { once } from "node:events";
import { open, rename, rm } from "node:fs/promises";
import { csvLine } from "./parse-csv.mjs";
import { StateFailure } from "./state-failure.mjs";

/** The text before, between and after the tenants. */
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
 * Writes a file that gets its name only when it is complete.
 *
 * @param {import("./state-client.mjs").StateClient} client
 * @param {string | undefined} file standard output where there is none
 * @returns {Promise<number>} how many tenants
 */
export async function exportState(client, file) {
  if (file === undefined) return writeState(client, formOf(""), toOutput);
  const part = `${file}.part`;
  const target = await open(part, "w").catch((error) => cannotWrite(file, error));
  try {
    const count = await writeState(client, formOf(file), (text) => target.appendFile(text));
    await target.close();
    await rename(part, file);
    return count;
  } catch (error) {
    await target.close();
    await rm(part, { force: true });
    return cannotWrite(file, error);
  }
}

/** @returns {never} */
function cannotWrite(/** @type {string} */ file, error) {
  throw error.syscall === undefined
    ? error
    : new StateFailure(`${file} cannot be written: ${error.code}.`);
}

async function toOutput(/** @type {string} */ text) {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

async function writeState(client, form, write) {
  let count = 0;
  for await (const [tenant, settings] of client.state()) {
    if (count === 0) await write(form.head(settings));
    await write(form.entry(tenant, settings, count === 0));
    count += 1;
  }
  if (count === 0) await write(form.head({}));
  await write(form.foot);
  return count;
}
