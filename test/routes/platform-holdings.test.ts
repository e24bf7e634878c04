import { beforeAll, describe, expect, it } from "vitest";
import { admin, makeTenant, type TestTenant, WITHOUT_RUNS, ask } from "../client.ts";

// What the platform sees and ends of a tenant's sessions, documents and runs: how each stands, and nothing
// that the tenant or its people wrote.

const SECRET = "zyzzyva";
const OF = "/admin/tenants/holding";
const MODEL = "@cf/meta/llama-3.1-8b-instruct-fp8";

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("holding", { daily_neurons: 100_000 });
});

describe("a session", () => {
  it("is listed, looked at and deleted by the platform, which reads nothing of it", async () => {
    const made = await tenant.call("POST", "/v1/sessions", {
      model: MODEL,
      system: `You are ${SECRET}`,
      user_id: "u_1",
      metadata: { topic: SECRET },
    });
    const { id } = made.body;
    const said = await tenant.call("POST", `/v1/sessions/${id}/messages`, {
      messages: [{ role: "user", content: `Tell me of ${SECRET}` }],
    });
    expect(said.status).toBe(200);

    const listed = await admin("GET", `${OF}/sessions`);
    expect(listed.body.data).toMatchObject([{ object: "listed_session", id, user_id: "u_1" }]);
    const state = await admin("GET", `${OF}/sessions/${id}`);
    expect(state.body).toMatchObject({ object: "session_state", id, model: MODEL, turns: 1 });
    expect(JSON.stringify([listed.body, state.body])).not.toContain(SECRET);
    expect((await admin("GET", `${OF}/sessions/${id}/messages`)).status).toBe(404);

    expect((await admin("DELETE", `${OF}/sessions/${id}`)).status).toBe(204);
    expect((await tenant.call("GET", `/v1/sessions/${id}`)).status).toBe(404);
    expect((await admin("GET", `${OF}/sessions/${id}`)).status).toBe(404);
  });
});

describe("a document", () => {
  it("is listed, looked at and deleted by the platform, which reads nothing of it", async () => {
    const content = `The parcel of ${SECRET} came on Friday. The box was dented.`;
    const made = await tenant.call("POST", "/v1/documents", {
      type: "report",
      content,
      user_id: "u_1",
      tasks: ["summary"],
    });
    const { id } = made.body;
    expect(JSON.stringify(made.body.results)).toContain(SECRET);

    const listed = await admin("GET", `${OF}/documents?type=report`);
    expect(listed.body.data).toMatchObject([{ id, user_id: "u_1", characters: content.length }]);
    const state = await admin("GET", `${OF}/documents/${id}`);
    expect(state.body).toEqual(listed.body.data[0]);
    expect(state.body.tasks).toMatchObject([{ task: "summary", state: "done", coverage: 1 }]);
    expect(JSON.stringify([listed.body, state.body])).not.toContain(SECRET);

    expect((await admin("DELETE", `${OF}/documents/${id}`)).status).toBe(204);
    expect((await tenant.call("GET", `/v1/documents/${id}`)).status).toBe(404);
    expect((await admin("GET", `${OF}/documents/${id}`)).status).toBe(404);
  });
});

describe("a run", () => {
  it("is listed, looked at and canceled by the platform", async () => {
    const made = await ask("POST", "/v1/pipelines/runs", {
      key: tenant.key,
      body: { documents: [{ type: "other", content: SECRET }], steps: ["moderate"] },
      env: WITHOUT_RUNS,
    });
    const { id } = made.body;
    const runs = `${OF}/pipelines/runs`;
    const listed = await admin("GET", runs);
    expect(listed.body.data).toMatchObject([{ id, state: "running" }]);
    const canceled = await admin("POST", `${runs}/${id}/cancel`);
    expect(canceled.body).toMatchObject({ id, state: "canceled" });
    expect((await admin("GET", `${runs}/${id}`)).body).toEqual(canceled.body);
    expect((await admin("GET", `${runs}/${id}/steps`)).body.data).toEqual([]);
    expect((await tenant.call("GET", `/v1/pipelines/runs/${id}`)).body.state).toBe("canceled");
    expect((await admin("GET", `${runs}/run_missing`)).status).toBe(404);
  });
});
