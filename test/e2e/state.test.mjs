// Tenants as a file: the client of documents in parts, the page that shows it, and a server that is
// killed while it applies one.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Server } from "./server.mjs";

const SCRIPT = fileURLToPath(new URL("../../scripts/state.mjs", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/state.md", import.meta.url));

/** Of a run that is looked at: how often, and for how long at most. */
const POLL_MS = 50;
const PATIENCE_MS = 120_000;

// Paid: its warnings are of promises alone.
const server = new Server({ CLOUDFLARE_PLAN: "paid" });
const folder = mkdtempSync(join(tmpdir(), "neurogate-state-"));

before(() => server.start());
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

const environment = () => ({
  ...process.env,
  NEUROGATE_URL: server.url,
  NEUROGATE_TOKEN: server.adminToken,
});

/** @returns {Promise<{ code: number, out: string, error: string }>} */
const state = (args, env = {}) =>
  new Promise((resolve) => {
    const options = { cwd: folder, env: { ...environment(), ...env } };
    const child = execFile(process.execPath, [SCRIPT, ...args], options, (failed, out, error) =>
      resolve({ code: failed === null ? 0 : Number(failed.code), out, error }),
    );
    child.stdin.end();
  });

const write = (name, content) =>
  writeFileSync(
    join(folder, name),
    typeof content === "string" ? content : JSON.stringify(content),
  );

const FREE = { plan: "free", daily_neurons: 1 };

const tenants = (count, prefix, settings = FREE) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`${prefix}${String(at).padStart(4, "0")}`, settings]),
  );

const PROGRESS = /^(?:Sent|Planned|Done) \d+ of \d+$/;

async function until(id, enough) {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const { body } = await server.admin("GET", `/admin/state/applies/${id}`);
    if (enough(body)) return body;
    assert.ok(Date.now() < endMs, JSON.stringify(body));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(POLL_MS);
  }
}

test("does what its page shows", { timeout: 120_000 }, async () => {
  const page = readFileSync(PAGE, "utf8");
  const [, table] = /```csv\n(.*?)```/s.exec(page);
  const [, shown] = /```console\n(.*?)```/s.exec(page);
  write("tenants.csv", table);
  // Else the plan warns that nothing limits what all of them may cost.
  await server.admin("PATCH", "/admin/account", { daily_cap_neurons: 100_000 });
  const [first, ...commands] = shown.split("$ npm run state -- ");
  assert.equal(first, "");
  assert.ok(commands.length > 3);
  for (const command of commands) {
    const [line, ...expected] = command.trimEnd().split("\n");
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { code, out, error } = await state(line.split(" "));
    assert.equal(code, 0, `${line}: ${error}`);
    const lines = out.trimEnd().split("\n");
    const told = lines.filter((each) => !PROGRESS.test(each));
    // A name that was not given is another each time.
    const named = told.filter((each) => !/^Apply [0-9a-f]{16}\./.test(each));
    assert.deepEqual(named, expected, line);
  }
  const { body } = await server.admin("GET", "/admin/state");
  assert.deepEqual(Object.keys(body.tenants), ["acme", "globex", "initech"]);
  assert.equal(body.tenants.acme.rpm.requests, 600);
});

test("what is exported is what is there, in each form", { timeout: 120_000 }, async () => {
  const { body } = await server.admin("GET", "/admin/state");
  for (const file of ["all.csv", "all.ndjson", "all.json"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal((await state(["export", file])).code, 0);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const { code, out } = await state(["plan", file, "--prune"]);
    assert.equal(code, 0);
    assert.match(out, /Plan: 0 to make, 0 to change, 0 to suspend, 3 unchanged\./);
  }
  const { out } = await state(["export"]);
  assert.deepEqual(JSON.parse(out).tenants, body.tenants);
});

test("says what is wrong, and ends with it", { timeout: 120_000 }, async () => {
  write("colour.json", { tenants: { acme: { ...FREE, colour: "red" } } });
  write("twice.csv", "tenant,plan,daily_neurons\nacme,free,1\nacme,free,2\n");
  write("twice.json", `{"tenants":{"acme":{"plan":"free"},"acme":{"plan":"paid"}}}`);
  write("twice.ndjson", `{"tenant":"acme","settings":{"plan":"free","plan":"paid"}}\n`);
  write("open.csv", 'tenant,plan\nacme,"free\n');
  write("short.csv", "tenant,plan,daily_neurons\nacme,free\n");
  write("page.json", { tenants: { acme: FREE }, prune: true, has_more: true });
  write("rest.json", { tenants: { acme: FREE }, has_more: true });
  write("flag.json", { tenants: { acme: FREE }, prune: "true" });
  write("both.csv", "tenant,plan,daily_neurons,rpm.requests,rpm\nacme,free,1,5,{}\n");
  write("keys.json", { tenants: { acme: FREE }, issue_keys: true });
  write("good.json", { tenants: { acme: FREE } });
  mkdirSync(join(folder, "folder.json"));
  for (const [args, sentence, env] of [
    [["plan", "colour.json"], /#\/tenants\/acme\/colour/],
    [["plan", "twice.csv"], /^Line 3: acme has a row already/],
    [["plan", "twice.json"], /^twice\.json: tenants\/acme is there twice\./],
    [["plan", "twice.ndjson"], /^Line 1: settings\/plan is there twice\./],
    [["plan", "open.csv"], /^Line 2: a quotation mark/],
    [["plan", "short.csv"], /^Line 2: it has 2 cells/],
    [["plan", "page.json"], /one page of several/],
    [["plan", "rest.json", "--prune"], /one page of several/],
    [["plan", "flag.json"], /prune must be true or false/],
    [["plan", "both.csv"], /^Line 2: rpm and rpm\.requests give the same setting/],
    [["plan", "keys.json"], /issue_keys/],
    [["plan", "none.json"], /none\.json cannot be read: ENOENT/],
    [["export", "no/such.json"], /such\.json cannot be written: ENOENT/],
    [["export", "folder.json"], /folder\.json cannot be written: EISDIR/],
    [["plan", "good.json", "--id", "a b"], /--id takes at most 58 letters/],
    [["apply", "good.json"], /pass --yes/],
    [["do", "good.json"], /npm run state -- plan/],
    [["plan", "good.json"], /does not accept this token/, { NEUROGATE_TOKEN: "x" }],
    [["plan", "good.json"], /Give --token/, { NEUROGATE_TOKEN: "" }],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { code, error } = await state(args, env);
    assert.equal(code, 2, `${args.join(" ")}: ${error}`);
    assert.match(error, sentence);
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith(".part")),
    [],
  );
  const { body } = await server.admin("GET", "/admin/tenants/acme");
  assert.equal(body.plan, "paid");
});

test("goes on after its client was killed, with the same name", { timeout: 240_000 }, async () => {
  write("many.json", { tenants: tenants(700, "c") });
  const args = [SCRIPT, "apply", "many.json", "--yes", "--id", "resumed"];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  // As soon as the first part is there.
  for await (const chunk of child.stdout) if (String(chunk).includes("Sent 1")) break;
  child.kill("SIGKILL");
  await once(child, "exit");
  const { code, out } = await state(["apply", "many.json", "--id", "resumed"]);
  assert.equal(code, 0);
  assert.match(out, /Done: 700 to make, 0 to change/);
  write("other.json", { tenants: tenants(700, "d") });
  const other = await state(["apply", "other.json", "--id", "resumed"]);
  assert.equal(other.code, 2);
  assert.match(other.error, /other content/);
});

test("a server that is killed in the midst ends the run", { timeout: 240_000 }, async (t) => {
  const all = Object.entries(tenants(400, "k"));
  const part = (from) => ({ tenants: Object.fromEntries(all.slice(from, from + 200)) });
  await server.admin("PUT", "/admin/state?apply=killed&part=2/2", part(200));
  // A part that is there survives too.
  await server.kill();
  await server.start();
  const { body: stored } = await server.admin("GET", "/admin/state/applies/killed");
  assert.deepEqual(stored.parts.missing, [1]);
  await server.admin("PUT", "/admin/state?apply=killed&part=1/2", part(0));
  for (const least of [1, 200]) {
    // oxlint-disable no-await-in-loop -- one life after the other
    const reached = await until("killed", ({ tenants: { done } }) => done >= least);
    assert.equal(reached.state, "applying", "it was over before it could be killed");
    // Into the midst of a slice.
    await sleep(20 + 100 * Math.random());
    await server.kill();
    await server.start();
    t.diagnostic(`killed after ${reached.tenants.done} of 400`);
    // oxlint-enable no-await-in-loop
  }
  const done = await until("killed", ({ ended_at: ended }) => ended !== null);
  assert.equal(done.state, "done");
  assert.deepEqual(done.tenants, { total: 400, planned: 400, done: 400, failed: 0 });
  const versions = new Set();
  let cursor = "";
  do {
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const { body } = await server.admin("GET", `/admin/tenants?prefix=k&limit=200${cursor}`);
    for (const { version } of body.data) versions.add(version);
    cursor = body.has_more ? `&cursor=${body.next_cursor}` : "";
  } while (cursor !== "");
  assert.deepEqual([...versions], [1], "no tenant was made twice");
  const acts = [];
  cursor = "";
  do {
    // oxlint-disable-next-line no-await-in-loop -- as above
    const { body } = await server.admin("GET", `/admin/audit?limit=200${cursor}`);
    acts.push(...body.data.filter(({ tenant }) => tenant?.startsWith("k")));
    cursor = body.has_more ? `&cursor=${body.next_cursor}` : "";
  } while (cursor !== "");
  assert.equal(acts.length, 400, "each act is in the log once");
});
