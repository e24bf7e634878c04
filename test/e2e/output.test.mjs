// What the server prints, also when callers send nonsense: nothing that is theirs, no secret. (Each
// of the other files ends with the same search of all that its server has printed.)
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { test } from "node:test";
import { MARKER, Server } from "./server.mjs";

test("nothing of what callers send is printed", async () => {
  const server = new Server();
  try {
    await server.start();
    const key = await server.makeTenant("talkative");
    const json = { "content-type": "application/json" };
    const bodies = [
      `{"text":"${MARKER}`,
      `{"text":"${MARKER}","${MARKER}":1}`,
      `{"text":["${MARKER}"]}`,
      `{"images":[{"base64":"${MARKER}!"}]}`,
      `{"images":[{"url":"https://${MARKER}.invalid/a.png"}]}`,
      `{"images":[{"url":"ftp://${MARKER}@example.com/a.png"}]}`,
      `{"input":[{"type":"${MARKER}"}],"text":"\\ud800 ${MARKER}"}`,
      `{"text":"Kill yourself, ${MARKER}","user_id":"${MARKER}","metadata":{"a":"${MARKER}"}}`,
      `[${"[".repeat(200)}"${MARKER}"`,
      `{"text":"${MARKER}${"a".repeat(200_000)}"}`,
    ];
    for (const path of ["/v1/verdicts", "/v1/moderations", `/v1/policies/${MARKER}`]) {
      for (const body of bodies) {
        const method = path.includes("policies") ? "PUT" : "POST";
        const headers = { ...json, "idempotency-key": MARKER };
        // oxlint-disable-next-line no-await-in-loop -- in order, so that a failure names its cause
        const { status } = await server.send(method, path, { key, headers, body });
        assert.ok(status < 500, `${method} ${path} answered ${status} to ${body.slice(0, 40)}`);
      }
    }
    const forged = `${key.slice(0, -4)}AAAA`;
    const admin = { key: server.adminToken };
    const wrong = [
      { path: `/v1/${MARKER}?${MARKER}=${MARKER}`, key },
      { path: `/v1/verdicts/${MARKER}`, key },
      { path: `/v1/verdicts?user_id=${MARKER}&decision=${MARKER}`, key },
      { path: "/v1/limits", key: forged },
      { path: `/admin/tenants/${MARKER}`, ...admin },
      { path: "/admin/tenants", key: `${server.adminToken}x` },
      { path: "/admin/tenants/wrong", method: "PUT", ...admin, body: { plan: MARKER } },
    ];
    for (const { path, method = "GET", ...ask } of wrong) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      const { status } = await server.send(method, path, ask);
      assert.ok(status >= 400 && status < 500, `${method} ${path} answered ${status}`);
    }
    assert.ok(!server.output.includes(forged.slice(0, -4)));
    // One line for each request did arrive here, and it says what came of it.
    await server.printed(/"event":"request".*"route":"\/v1\/verdicts","status":200/);
    await server.printed(/"event":"request".*"route":null,"status":404/);
  } finally {
    await server.stop();
  }
});

test("a secret that is too short closes everything, and only its name is printed", async () => {
  const server = new Server({ ADMIN_TOKEN: "short-and-secret" });
  try {
    await server.start();
    const closed = await server.send("GET", "/admin/tenants", { key: server.adminToken });
    assert.equal(closed.status, 503);
    assert.equal((await server.send("GET", "/healthz")).status, 200);
    // What is printed does arrive here: otherwise the search would find nothing ever.
    await server.printed(/"misconfigured","settings":\["ADMIN_TOKEN"\]/);
  } finally {
    await server.stop();
  }
});
