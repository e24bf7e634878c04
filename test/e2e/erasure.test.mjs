// kill -9 right after an erasure was promised: it goes on by itself on the same data, and nothing of
// the person is left, also not in the files.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertInvariants, MARKER, readAll, Server } from "./server.mjs";

const PERSON = `person-${MARKER}`;

/** More than one alarm's worth of files. */
const PICTURE_CALLS = 20;

const server = new Server();
before(() => server.start());
after(() => server.stop());

test("an erasure is finished after a kill", { timeout: 240_000 }, async () => {
  const key = await server.makeTenant("forgetful", { daily_images_per_user: 100 });
  const call = async (path, body) => {
    const reply = await server.send("POST", path, { key, body: { ...body, user_id: PERSON } });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body;
  };
  await call("/v1/verdicts", { text: `Have a nice day, dear ${MARKER}` });
  const made = [];
  for (let at = 0; at < PICTURE_CALLS; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    made.push(await call("/v1/images", { prompt: `A boat named ${MARKER}` }));
  }
  const lines = await readAll(server.url, "/v1/ledger", key);

  const body = { user_id: PERSON };
  const asked = await server.send("POST", "/v1/erasures", { key, body });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  await server.kill();
  await server.start();

  let erasure = asked.body;
  while (erasure.state !== "done") {
    // oxlint-disable-next-line no-await-in-loop -- until it is done
    await sleep(100);
    // oxlint-disable-next-line no-await-in-loop
    erasure = (await server.send("GET", `/v1/erasures/${erasure.id}`, { key })).body;
  }
  assert.deepEqual([erasure.counts.verdicts, erasure.counts.images], [1, PICTURE_CALLS]);
  // Of nothing but its summary.
  const exported = await server.send("GET", `/v1/export?user_id=${PERSON}`, { key });
  assert.deepEqual(exported.body.counts, {});
  for (const { data } of made) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { status } = await server.send("GET", `/v1/images/${data[0].id}/metadata`, { key });
    assert.equal(status, 404);
  }
  const left = await readAll(server.url, "/v1/ledger", key);
  assert.deepEqual(
    left,
    lines.map((line) => ({ ...line, user_id: null })),
  );
  await assertInvariants(server.url, key);
});
