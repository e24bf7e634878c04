// Changes the tenants of an account to match a file: `npm run state -- plan|apply FILE`. Writes such a
// file: `npm run state -- export FILE`. docs/state.md describes the files and the steps.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { exportState } from "./state/export-state.mjs";
import { ProgressLine } from "./state/progress-line.mjs";
import { partsOf, readDocument } from "./state/read-document.mjs";
import { StateClient } from "./state/state-client.mjs";
import { StateFailure } from "./state/state-failure.mjs";

const USAGE = `npm run state -- plan FILE [--prune]            shows the changes and makes none
npm run state -- apply FILE [--prune] [--yes]   makes the changes, after a question
npm run state -- apply FILE --id ID             continues an apply
npm run state -- export [FILE]                  writes all tenants: .json, .ndjson or .csv

FILE       a document (.json), its lines (.ndjson) or a table (.csv)
--url      of the server; else NEUROGATE_URL, else http://127.0.0.1:8787
--token    the admin token; else NEUROGATE_TOKEN, which no list of processes shows
--prune    suspend the tenants that the file does not name
--yes      do not ask
--id       the name of an apply: letters, digits, hyphens`;

/** How often we ask the server for its progress. */
const POLL_MS = 500;

/** Lines of a plan that are shown. */
const MOST_SHOWN = 50;

const out = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

function readCommand() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: "string", default: process.env.NEUROGATE_URL || "http://127.0.0.1:8787" },
        token: { type: "string", default: process.env.NEUROGATE_TOKEN },
        prune: { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
        id: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new StateFailure(`${error.message}\n\n${USAGE}`);
  }
}

async function main() {
  const { values, positionals } = readCommand();
  const [verb, file, ...more] = positionals;
  if (values.help) return out(USAGE);
  if (!["plan", "apply", "export"].includes(verb ?? "") || more.length > 0) {
    throw new StateFailure(USAGE);
  }
  if (!values.token) throw new StateFailure("Give --token, or set NEUROGATE_TOKEN.");
  if (!URL.canParse(values.url))
    throw new StateFailure("--url must be an address, such as https://…");
  const client = new StateClient(values.url, values.token);
  if (verb === "export") {
    const count = await exportState(client, file);
    if (file !== undefined) out(`${count} tenants are in ${file}.`);
    return undefined;
  }
  if (file === undefined) throw new StateFailure(USAGE);
  const { id } = values;
  if (id !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]{0,57}$/.test(id)) {
    throw new StateFailure("--id takes at most 58 letters, digits and hyphens.");
  }
  const document = readDocument(file, values.prune);
  const parts = partsOf(document);
  out(
    `${file} names ${document.tenants.size} tenants, in ${parts.length} part${parts.length === 1 ? "" : "s"}.`,
  );
  const given = { client, parts, id: id ?? randomBytes(8).toString("hex") };
  return verb === "plan"
    ? plan(given, given.id)
    : carryOut(given, { ...values, isNamed: id !== undefined });
}

/** @typedef {{ client: StateClient, parts: string[], id: string }} Given */

async function plan(/** @type {Given} */ { client, parts }, /** @type {string} */ id) {
  const planned = await run(client, parts, { id, dryRun: true });
  let shown = 0;
  for (const status of ["failed", "planned"]) {
    // oxlint-disable-next-line no-await-in-loop -- one list after the other
    for await (const tenant of client.tenants(id, status)) {
      if (shown === MOST_SHOWN) break;
      out(`  ${lineOf(tenant)}`);
      shown += 1;
    }
  }
  const all = planned.tenants.total - planned.counts.unchanged;
  if (all > shown) out(`  and ${all - shown} more`);
  for (const { detail } of planned.warnings) out(`Warning: ${detail}`);
  out(`Plan: ${countsOf(planned)}.`);
  if (planned.tenants.failed > 0) throw failedOf(planned);
  return planned;
}

async function carryOut(/** @type {Given} */ given, { yes, isNamed }) {
  const { client, parts, id } = given;
  const begun = isNamed ? await client.readApply(id) : null;
  if (begun === null && !yes) {
    if (!process.stdin.isTTY) {
      throw new StateFailure(
        "There is no terminal to ask for consent. Look at the plan, then pass --yes.",
      );
    }
    const { counts } = await plan(given, `${id}-plan`);
    if (counts.create + counts.update + counts.suspend === 0) return out("There is nothing to do.");
    if (!(await isAgreed())) throw new StateFailure("Nothing was changed.", 1);
  }
  if (begun === null) out(`Apply ${id}. If this is cut short, continue with: --id ${id}`);
  const applied = await run(client, parts, { id, dryRun: false });
  if (applied.state !== "done") {
    throw new StateFailure(
      `It is ${applied.state}: ${countsOf(applied)}, ${applied.tenants.done} done.`,
      1,
    );
  }
  for (const { detail } of applied.warnings) out(`Warning: ${detail}`);
  out(`Done: ${countsOf(applied)}.`);
  if (applied.tenants.failed > 0) throw failedOf(applied);
  return applied;
}

async function isAgreed() {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question("Make these changes? Type yes: ");
  lines.close();
  return answer.trim() === "yes";
}

/** Sends the missing parts and waits for the end of the apply. */
async function run(
  /** @type {StateClient} */ client,
  /** @type {string[]} */ parts,
  { id, dryRun },
) {
  const line = new ProgressLine(process.stdout);
  try {
    const known = await client.readApply(id);
    let apply = known;
    for (const [at, body] of parts.entries()) {
      // A part that the server has is sent again too, since the server checks that it is the same document.
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      const stored = await client.storePart(
        { id, number: at + 1, count: parts.length, dryRun },
        body,
      );
      apply = stored.body;
      line.tell("Sent", at + 1, parts.length);
    }
    while (apply !== null && apply.ended_at === null) {
      const { planned, done, failed, total } = apply.tenants;
      if (apply.state === "applying") line.tell("Done", done + failed, total);
      else line.tell("Planned", planned + failed, total);
      // oxlint-disable-next-line no-await-in-loop -- one poll after the other
      await sleep(POLL_MS);
      // oxlint-disable-next-line no-await-in-loop -- as above
      apply = await client.readApply(id);
    }
    if (apply === null) throw new StateFailure("The server no longer has this apply.", 1);
    const { done, failed, total } = apply.tenants;
    if (!dryRun) line.tell("Done", done + failed, total);
    return apply;
  } finally {
    line.end();
  }
}

const countsOf = ({ counts: { create, update, suspend, unchanged } }) =>
  `${create} to make, ${update} to change, ${suspend} to suspend, ${unchanged} unchanged`;

const failedOf = ({ tenants, failures }) => {
  const some = failures.map(({ tenant, failure }) => `  ${tenant}: ${failure}`);
  const rest = tenants.failed > some.length ? [`  and ${tenants.failed - some.length} more`] : [];
  return new StateFailure([`${tenants.failed} tenants failed:`, ...some, ...rest].join("\n"), 1);
};

function lineOf({ tenant, action, changes, failure }) {
  if (failure !== null) return `${tenant}: ${failure}`;
  const fields = changes.map(({ field, from, to }) =>
    from === null ? `${field} ${short(to)}` : `${field} ${short(from)} -> ${short(to)}`,
  );
  return `${action} ${tenant}: ${fields.join(", ")}`;
}

const short = (/** @type {unknown} */ value) => {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

try {
  await main();
} catch (error) {
  if (!(error instanceof StateFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code;
}
