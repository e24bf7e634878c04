// Clients of OpenAI's and of Cloudflare's services against real servers, by base URL only, with a
// scripted engine behind each. What works is written into docs/clients.md: `npm run test:clients`.
// `CLIENTS="openai (Node); Pydantic AI" npm run test:clients` drives those alone; the other rows stay.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { installFolder } from "../scripts/install-folder.mjs";
import { CLIENTS, FAILING } from "./drop-in/clients.mjs";
import { startGateways } from "./drop-in/gateway.mjs";
import { committedRows, rowOf, writePage } from "./drop-in/table.mjs";
import { HERE, goBinary, isThere, python, run } from "./languages.mjs";

/** All of a client's features. */
const LONGEST_MS = 180_000;

const FOLDER = join(HERE, "drop-in");
const ODD = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")).odd;
const named = process.env.CLIENTS?.split(";").map((name) => name.trim());
for (const name of named ?? []) {
  const isKnown = CLIENTS.some((client) => client.name === name);
  assert.ok(isKnown, `CLIENTS names "${name}", which is not in clients/drop-in/clients.mjs.`);
}

const committed = committedRows();
/** What this run found, by the client's name. */
const found = new Map();

/** Whether a language is there, in the version that the clients need. */
function has(/** @type {[string, string]} */ command, pattern, /** @type {number} */ least) {
  if (!isThere(...command)) return false;
  const [, minor] = pattern.exec(run(command[0], [command[1]])) ?? [];
  return Number(minor) >= least;
}

const WITHOUT = {
  node: false,
  python: has(["python3", "--version"], /^Python 3\.(\d+)/, 11) ? false : "there is no Python 3.11",
  // An older one would load a newer one first.
  go: has(["go", "version"], /go1\.(\d+)/, 26) ? false : "there is no Go 1.26",
};
for (const [language, reason] of Object.entries(WITHOUT)) {
  if (reason) console.log(`Skipped: the clients in ${language}, because ${reason} or newer.`);
}

const scratch = mkdtempSync(join(tmpdir(), "neurogate-drop-in-"));

/** Why a client is not driven, or false. */
const skipOf = ({ name, language }) =>
  named !== undefined && !named.includes(name) ? "not named in CLIENTS" : WITHOUT[language];

/** The command of a program, with all that it needs installed or built. */
const commandOf = ({ language, file, args = [], packages = "requirements.txt" }) => {
  if (language === "python") return [python(join(FOLDER, packages)), file, ...args];
  if (language === "go") return [goBinary(join(FOLDER, file), join(scratch, "client")), ...args];
  return [process.execPath, file, ...args];
};

/** @type {Map<string, string[]>} by the client's name */
const commands = new Map();
let gateways;

before(async () => {
  if (!installFolder("clients/drop-in")) {
    throw new Error("The packages of clients/drop-in/ could not be installed.");
  }
  // Before the scripted engines start: they answer from this process.
  for (const client of CLIENTS) {
    if (!skipOf(client)) commands.set(client.name, commandOf(client));
  }
  gateways = await startGateways();
});
after(async () => {
  await gateways?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** Runs a client's program. @returns what it printed, line by line */
async function driven({ name }) {
  const tenant = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 30);
  const env = { ...process.env, ...(await gateways.environmentFor(tenant)) };
  const [command, ...args] = commands.get(name);
  const child = spawn(command, args, { cwd: FOLDER, env, stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
  let [printed, complained] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (complained += text));
  const [code] = await once(child, "close");
  clearTimeout(timer);
  const complaint = `${command} ${args.join(" ")}\n${complained.slice(-4000)}`;
  assert.equal(code, 0, complaint);
  const lines = printed
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  assert.ok(lines.length > 1, complaint);
  return lines;
}

/** It works, or it is known why it does not. */
function judge(client, { feature, name, works, why }) {
  const known = FAILING.find((one) => one.client === client && one.feature === (name ?? feature));
  if (known === undefined) assert.ok(works, why);
  else assert.ok(!works, "It works: take it off the list in clients/drop-in/clients.mjs.");
}

describe("clients", { concurrency: 2 }, () => {
  for (const client of CLIENTS) {
    test(client.name, { skip: skipOf(client) }, async (t) => {
      const [{ versions }, ...lines] = await driven(client);
      found.set(client.name, rowOf(versions, lines));
      for (const line of lines) {
        const title = line.name === null ? line.feature : `${line.feature}: ${line.name}`;
        // oxlint-disable-next-line no-await-in-loop -- they were made already
        await t.test(title, () => judge(client.name, line));
      }
    });
  }
});

const worksOf = (rows) => Object.fromEntries([...rows].map(([name, row]) => [name, row.works]));

test("docs/clients.md says what works", () => {
  const rows = new Map(
    CLIENTS.flatMap(({ name }) => {
      const row = found.get(name) ?? committed.get(name);
      return row === undefined ? [] : [[name, row]];
    }),
  );
  for (const { name } of CLIENTS) {
    if (!found.has(name)) console.log(`Not driven: ${name}. Its row is as it was.`);
  }
  writePage(rows, ODD);
  assert.deepEqual(
    worksOf(committed),
    worksOf(rows),
    "docs/clients.md was written again: what works has changed. Commit it if it is right.",
  );
});
