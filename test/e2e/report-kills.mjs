import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { MARKER, readAll } from "./server.mjs";

const CALLS = 12;

/** A busy machine takes its time. */
const PATIENCE_MS = 90_000;

/**
 * A real server with a real local queue forgets what the queue holds when it is killed: what had not
 * arrived is sent again, and in the end the reports say what the ledger says.
 *
 * @param {import("./server.mjs").Server} server of nobody else: it is killed
 * @param {readonly number[]} killsMs how long after each round of calls it is killed
 */
export async function reportsOutliveKills(server, killsMs) {
  const admin = { key: server.adminToken };
  const settings = { plan: "paid", daily_neurons: 20, overage_cap_neurons: "unlimited" };
  await server.send("PUT", "/admin/tenants/fed", { ...admin, body: settings });
  const { body } = await server.send("POST", "/admin/tenants/fed/keys", {
    ...admin,
    body: { role: "manage" },
  });
  const key = body.key;

  for (const [round, afterMs] of killsMs.entries()) {
    for (let call = 0; call < CALLS; call += 1) {
      const text = `Have a nice day, ${MARKER} ${round} ${call}!`;
      // oxlint-disable-next-line no-await-in-loop -- call after call
      const { status } = await server.send("POST", "/v1/verdicts", {
        key,
        body: { text, user_id: `u_${call}` },
      });
      assert.equal(status, 200);
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(afterMs);
    // oxlint-disable-next-line no-await-in-loop
    await server.kill();
    // oxlint-disable-next-line no-await-in-loop
    await server.start();
  }

  const lines = await readAll(server.url, "/v1/ledger", key);
  assert.equal(lines.length, CALLS * killsMs.length);
  const posted = lines.reduce((sum, line) => sum + line.micro_neurons, 0);
  // Newest first; a midnight may lie between them.
  const range = `from=${lines.at(-1).day}&to=${lines[0].day}`;

  const totals = await until(async () => {
    const reply = await server.send("GET", `/admin/usage?${range}&tenant=fed`, admin);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body.totals.calls === lines.length ? reply.body.totals : null;
  });
  assert.equal(totals.micro_neurons, posted);
  assert.ok(totals.overage_micro_neurons > 0);
  const own = await server.send("GET", `/v1/usage?${range}`, { key });
  assert.equal(own.body.totals.micro_neurons, posted);

  // Made anew, they are the same.
  const started = await server.send("POST", "/admin/rebuild/fed", admin);
  assert.equal(started.status, 202);
  await until(async () => {
    const { body: rebuild } = await server.send("GET", "/admin/rebuild/fed", admin);
    return rebuild.state === "done" ? rebuild : null;
  });
  const anew = await server.send("GET", `/admin/usage?${range}&tenant=fed`, admin);
  assert.deepEqual(anew.body.totals, totals);
}

/** Asks until there is an answer. */
async function until(look) {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const found = await look();
    if (found !== null) return found;
    assert.ok(Date.now() < deadlineMs, "it did not come about");
    // oxlint-disable-next-line no-await-in-loop
    await sleep(500);
  }
}
