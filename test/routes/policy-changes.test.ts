import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_ROUTING } from "../../src/domain/generation/routing.ts";
import { makeTenant, type TestTenant } from "../client.ts";

// A policy changed in part, put back as it was read, and ended.

const HOUSE = "/v1/policies/house";

let made = 0;
let tenant: TestTenant;
beforeEach(async () => {
  made += 1;
  tenant = await makeTenant(`changes-${made}`);
});

const pointers = (body: { errors: { pointer: string }[] }) =>
  body.errors.map(({ pointer }) => pointer);

describe("PUT with a category in part", () => {
  it("takes the rest of it from the default", async () => {
    const before = (await tenant.call("GET", "/v1/policies/default")).body;
    const { body } = await tenant.call("PUT", HOUSE, {
      categories: { toxicity: { block: 0.9 }, hate: { required: true } },
    });
    expect(body.categories.toxicity).toEqual({ ...before.categories.toxicity, block: 0.9 });
    expect(body.categories.hate).toEqual({ ...before.categories.hate, required: true });
    expect(body.categories.spam).toEqual(before.categories.spam);
  });
});

describe("a preset", () => {
  it("is written out by a PUT, with what is named laid over it", async () => {
    const { status, body } = await tenant.call("PUT", HOUSE, {
      preset: "strict",
      categories: { toxicity: { block: 0.65 } },
    });
    expect(status).toBe(200);
    expect(body).not.toHaveProperty("preset");
    expect(body.categories.toxicity).toMatchObject({ flag: 0.4, block: 0.65, ban: 0.9 });
    expect(body.categories["self-harm"]).toMatchObject({ required: true, flag: 0.3, block: null });
    // Numbers from here on: it can be put back without the preset's name.
    const again = await tenant.call("PUT", HOUSE, body);
    expect(again.body).toEqual({ ...body, version: 2 });
  });

  it.each([["default"], ["strict"], ["free"]])("%s stays what a GET of it gave", async (preset) => {
    const put = await tenant.call("PUT", HOUSE, { preset });
    expect(put.status).toBe(200);
    expect((await tenant.call("GET", HOUSE)).body).toEqual(put.body);
    const models = preset === "free" ? { judge: null, vision: null } : {};
    expect(put.body.models).toMatchObject(models);
    expect(put.body.unevaluated).toBe(preset === "free" ? "allow" : null);
  });

  it("is no change to a policy: a PATCH of it is refused, and so is another name", async () => {
    await tenant.call("PUT", HOUSE, {});
    const patched = await tenant.call("PATCH", HOUSE, { preset: "free" });
    expect([patched.status, pointers(patched.body)]).toEqual([400, ["#/preset"]]);
    const unknown = await tenant.call("PUT", HOUSE, { preset: "lax" });
    expect([unknown.status, pointers(unknown.body)]).toEqual([400, ["#/preset"]]);
  });

  it.each(["embedded", "workers-ai"])(
    "free is judged inside the Worker at no cost, with the engine %s",
    async (engine) => {
      const judged = (text: string) =>
        engine === "embedded"
          ? tenant.call("POST", "/v1/verdicts", { text, policy: "free" })
          : tenant.onWorkersAi("POST", "/v1/verdicts", { text, policy: "free" });
      await tenant.call("PUT", "/v1/policies/free", { preset: "free" });

      const calm = await judged("Thanks for the lovely dinner, see you on Sunday.");
      expect(calm.body).toMatchObject({ decision: "allow", approved: true, micro_neurons: 0 });
      expect(calm.body.stages).toMatchObject([
        { name: "spam", micro_neurons: 0 },
        { name: "tier0", model: "neurogate/tier0@1", status: "evaluated", micro_neurons: 0 },
      ]);
      const threat = await judged("I will come to your house and kill you, you filthy rat.");
      expect(threat.body).toMatchObject({ approved: false, micro_neurons: 0 });
      expect(threat.body.decision).not.toBe("allow");

      const foreign = await judged("Das Wetter ist heute wirklich schön, wir gehen an den See.");
      expect(foreign.body).toMatchObject({
        decision: "allow",
        partial: true,
        approved: false,
        micro_neurons: 0,
      });
    },
  );
});

describe("what a GET gave", () => {
  it.each([{}, { unevaluated: "block", language: "pt-BR" }])(
    "can be put back, and changes nothing but the version: %j",
    async (more) => {
      const put = { terms: { block: ["zyzzyva"] }, guard: { input: "block" }, ...more };
      await tenant.call("PUT", HOUSE, put);
      const read = await tenant.call("GET", HOUSE);
      const { status, body } = await tenant.call("PUT", HOUSE, read.body);
      expect(status).toBe(200);
      expect(body).toEqual({ ...read.body, version: 2 });
    },
  );

  it("is refused once somebody else has changed it", async () => {
    await tenant.call("PUT", HOUSE, {});
    const read = await tenant.call("GET", HOUSE);
    await tenant.call("PATCH", HOUSE, { evaluate_all: true });
    for (const method of ["PUT", "PATCH"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const late = await tenant.call(method, HOUSE, read.body);
      expect(late.status).toBe(400);
      expect(late.body.errors).toEqual([
        { pointer: "#/version", detail: "must be the version in force, 2, or absent" },
      ]);
    }
  });

  it("is not put under another name", async () => {
    const read = await tenant.call("GET", "/v1/policies/default");
    const { status, body } = await tenant.call("PUT", HOUSE, read.body);
    expect(status).toBe(400);
    expect(pointers(body)).toEqual(["#/name"]);
  });
});

describe("PATCH /v1/policies/{name}", () => {
  it("changes what it names and nothing else", async () => {
    const put = await tenant.call("PUT", HOUSE, {
      terms: { block: ["zyzzyva"], allow: ["scunthorpe"] },
      categories: { toxicity: { flag: 0.4 } },
      guard: { input: "block", output: "score" },
      spam_phrases: ["cheap watches"],
      language: "de",
    });
    const { status, body } = await tenant.call("PATCH", HOUSE, {
      categories: { toxicity: { flag: null, block: 0.8 } },
      terms: { allow: [] },
      guard: { output: "off" },
      unevaluated: "allow",
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...put.body,
      version: 2,
      categories: {
        ...put.body.categories,
        toxicity: { ...put.body.categories.toxicity, flag: null, block: 0.8 },
      },
      terms: { block: ["zyzzyva"], allow: [] },
      guard: { input: "block", output: "off" },
      unevaluated: "allow",
    });
    expect((await tenant.call("GET", HOUSE)).body).toEqual(body);
  });

  it("takes back what may be absent", async () => {
    await tenant.call("PUT", HOUSE, { unevaluated: "block", language: "de" });
    const { body } = await tenant.call("PATCH", HOUSE, { unevaluated: null, language: null });
    expect(body).toMatchObject({ unevaluated: null, language: null, version: 2 });
  });

  it("makes no version where nothing changes", async () => {
    await tenant.call("PUT", HOUSE, {});
    const same = await tenant.call("PATCH", HOUSE, { evaluate_all: false, categories: {} });
    expect(same.body.version).toBe(1);
    const read = await tenant.call("GET", HOUSE);
    expect((await tenant.call("PATCH", HOUSE, read.body)).body.version).toBe(1);
  });

  it("keeps a tenant's terms when its routing table is set", async () => {
    await tenant.call("PUT", "/v1/policies/default", { terms: { block: ["zyzzyva"] } });
    const routing = { rules: [{ models: ["@cf/meta/llama-3.1-8b-instruct-fp8"] }] };
    const { body } = await tenant.call("PATCH", "/v1/policies/default", { routing });
    expect(body.terms.block).toEqual(["zyzzyva"]);
    expect(body.routing.rules).toHaveLength(1);
    expect(body.routing).not.toEqual(DEFAULT_ROUTING);
    const judged = await tenant.call("POST", "/v1/verdicts", { text: "a zyzzyva" });
    expect(judged.body.decision).toBe("block");
  });

  it.each([
    [{ categories: { negativity: { block: 0.5 } } }, "#/categories/negativity"],
    [{ categories: { toxicity: { block: 2 } } }, "#/categories/toxicity/block"],
    [{ models: { judge: "@cf/no/such" } }, "#/models/judge"],
    [{ colour: "red" }, "#/colour"],
  ])("refuses %j by name", async (change, pointer) => {
    await tenant.call("PUT", HOUSE, {});
    const { status, body } = await tenant.call("PATCH", HOUSE, change);
    expect(status).toBe(400);
    expect(pointers(body)).toContain(pointer);
    expect((await tenant.call("GET", HOUSE)).body.version).toBe(1);
  });

  it("finds no policy that is not there", async () => {
    expect((await tenant.call("PATCH", HOUSE, {})).status).toBe(404);
  });
});

describe("DELETE /v1/policies/{name}", () => {
  it("ends a policy: no call follows it any more, and its verdicts stay as they are", async () => {
    await tenant.call("PUT", HOUSE, { terms: { block: ["zyzzyva"] } });
    const judged = await tenant.call("POST", "/v1/verdicts", {
      text: "a zyzzyva",
      policy: "house",
    });
    expect(judged.body).toMatchObject({ decision: "block", policy: { name: "house", version: 1 } });
    expect((await tenant.call("DELETE", HOUSE)).status).toBe(204);

    const refused = await tenant.call("POST", "/v1/verdicts", { text: "hello", policy: "house" });
    expect(refused.status).toBe(400);
    expect((await tenant.call("GET", HOUSE)).status).toBe(404);
    expect((await tenant.call("DELETE", HOUSE)).status).toBe(404);
    expect((await tenant.call("POST", `${HOUSE}/replay`, {})).status).toBe(404);
    const read = await tenant.call("GET", `/v1/verdicts/${judged.body.id}`);
    expect(read.body).toMatchObject({ ...judged.body, reasons: [{ kind: "term" }] });
    expect((await tenant.call("GET", `${HOUSE}?version=1`)).status).toBe(200);
    const listed = await tenant.call("GET", "/v1/policies");
    expect(listed.body.data.map(({ name }: { name: string }) => name)).toEqual(["default"]);
  });

  it("is not for the default policy", async () => {
    const { status, body } = await tenant.call("DELETE", "/v1/policies/default");
    expect(status).toBe(400);
    expect(body.errors[0].detail).toContain("calls that name no policy follow it");
    expect((await tenant.call("GET", "/v1/policies/default")).status).toBe(200);
  });
});

const judged = async (text: string, language?: string) =>
  (await tenant.call("POST", "/v1/verdicts", { text, ...(language && { language }) })).body;

describe("a policy's language", () => {
  it("is that of texts too short for theirs to be told, and of no others", async () => {
    await tenant.call("PATCH", "/v1/policies/default", { language: "de" });
    expect(await judged("Alles klar")).toMatchObject({
      language: "de",
      approved: false,
      coverage: { toxicity: "not_evaluated" },
    });
    // What is in no language stays so; what is certain, or said by the caller, holds.
    expect(await judged("42")).toMatchObject({ language: null, approved: true });
    expect(await judged("What a lovely day it is today")).toMatchObject({ language: "en" });
    expect(await judged("rain in Oslo", "en")).toMatchObject({ language: "en", approved: true });
    // No German is written in these letters.
    expect(await judged("Привет")).toMatchObject({ language: null, approved: false });
  });
});
