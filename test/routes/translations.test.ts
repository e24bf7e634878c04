import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { makeTenant, type TestTenant } from "../client.ts";

const path = "/v1/translations";
const M2M100 = "@cf/meta/m2m100-1.2b";
const INDIC = "@cf/ai4bharat/indictrans2-en-indic-1B";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`translate-${made}`, settings);
};

afterEach(() => reset());

describe("POST /v1/translations", () => {
  it("gives the translation, its model and what it cost", async () => {
    const tenant = await aTenant();
    const body = { text: "Good morning", target_language: "de", user_id: "u_7" };
    const reply = await tenant.onWorkersAi("POST", path, body);
    expect(reply.status).toBe(200);
    const { body: ledger } = await tenant.call("GET", "/v1/ledger");
    // 4 + 6 tokens in, half of the 16 bytes that came out: 18 of 31,050 uN each.
    expect(reply.body).toEqual({
      id: ledger.data[0].id,
      object: "translation",
      translation: "de: Good morning",
      source_language: "en",
      target_language: "de",
      user_id: "u_7",
      model: M2M100,
      engine: "workers-ai",
      priced_as: M2M100,
      micro_neurons: 558_900,
      neurons: 0.5589,
      basis: "estimated",
      created_at: ledger.data[0].admitted_at,
    });
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("558900");
    expect(ledger.data).toMatchObject([
      {
        route: "POST /v1/translations",
        user_id: "u_7",
        held_micro_neurons: 1040 * 31_050,
        micro_neurons: 558_900,
        items: [
          {
            stage: "generate",
            model: M2M100,
            units: { input_token: 10, output_token: 8 },
            basis: "estimated",
          },
        ],
      },
    ]);
  });

  it("translates into the languages of India, by their names or ISO's", async () => {
    const tenant = await aTenant();
    const translate = (target_language: string) =>
      tenant.onWorkersAi("POST", path, { text: "Good morning", target_language, model: INDIC });
    expect((await translate("hi")).body).toMatchObject({
      translation: "hin_Deva: Good morning",
      target_language: "hi",
      model: INDIC,
    });
    expect((await translate("kas_Arab")).body.translation).toBe("kas_Arab: Good morning");
  });

  it("takes an alias, and falls back to what speaks the language", async () => {
    const tenant = await aTenant({
      aliases: { translator: M2M100 },
      fallbacks: { [M2M100]: [INDIC] },
    });
    const text = `[[fake:3040,3040,ok|${crypto.randomUUID()}]]`;
    const body = { text, target_language: "hi", model: "translator" };
    const reply = await tenant.onWorkersAi("POST", path, body);
    expect(reply.body).toMatchObject({ model: INDIC, priced_as: INDIC });
    expect(reply.body.translation).toBe(`hin_Deva: ${text}`);
  });

  it("is kept for a repeated idempotency key", async () => {
    const tenant = await aTenant();
    const body = { text: "Good morning", target_language: "de" };
    const translate = () => tenant.onWorkersAi("POST", path, body, { "Idempotency-Key": "t1" });
    const first = await translate();
    const again = await translate();
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toHaveLength(1);
  });

  it("is quoted for what it is held at", async () => {
    const tenant = await aTenant();
    const body = { text: "Good morning", target_language: "de" };
    const quote = await tenant.call("POST", "/v1/quote", { path, body });
    expect(quote.body).toMatchObject({ max_micro_neurons: 1040 * 31_050, fits_today: true });
    const wrong = { ...body, target_language: "tlh" };
    expect((await tenant.call("POST", "/v1/quote", { path, body: wrong })).status).toBe(400);
  });

  it("is what the embedded engine cannot do, and nothing is charged", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { text: "Hi", target_language: "de" });
    expect(reply.status).toBe(501);
    expect(reply.body.kind).toBe("engine_unsupported");
    expect(reply.headers.get("x-should-retry")).toBe("false");
    const { body } = await tenant.call("GET", "/v1/ledger");
    expect(body.data).toMatchObject([{ outcome: "voided", micro_neurons: 0 }]);
  });

  it.each([
    [{ target_language: "de" }, 400, "#/text"],
    [{ text: "", target_language: "de" }, 400, "#/text"],
    [{ text: 5, target_language: "de" }, 400, "#/text"],
    [{ text: "\u20ac".repeat(1366), target_language: "de" }, 400, "#/text"],
    [{ text: "a" }, 400, "#/target_language"],
    [{ text: "a", target_language: "tlh" }, 400, "#/target_language"],
    [{ text: "a", target_language: "DE" }, 400, "#/target_language"],
    [{ text: "a", target_language: "de", source_language: "english" }, 400, "#/source_language"],
    [{ text: "a", target_language: "de", model: INDIC }, 400, "#/target_language"],
    [{ text: "a", target_language: "de", model: "@cf/microsoft/resnet-50" }, 400, "#/model"],
    [{ text: "a", target_language: "de", from: "en" }, 400, "#/from"],
  ])("refuses %j, naming the field", async (body, status, pointer) => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", path, body);
    expect(reply.status).toBe(status);
    expect(reply.body.errors).toMatchObject([{ pointer }]);
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toEqual([]);
  });

  it("does not know a model that is not there", async () => {
    const tenant = await aTenant();
    const body = { text: "a", target_language: "de", model: "no-such-model" };
    const reply = await tenant.onWorkersAi("POST", path, body);
    expect([reply.status, reply.body.kind]).toEqual([404, "model_not_found"]);
  });

  it.each([
    ["no_text", 502, "engine_failed"],
    ["3007", 504, "engine_timeout"],
    ["5007", 502, "engine_failed"],
  ])("tells of %s, and charges what may have run", async (behaviour, status, kind) => {
    const tenant = await aTenant();
    const text = `[[fake:${behaviour}|${crypto.randomUUID()}]]`;
    const reply = await tenant.onWorkersAi("POST", path, { text, target_language: "de" });
    expect([reply.status, reply.body.kind]).toEqual([status, kind]);
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    const expected = behaviour === "5007" ? 0 : line.held_micro_neurons;
    expect(line.micro_neurons).toBe(expected);
  });
});
