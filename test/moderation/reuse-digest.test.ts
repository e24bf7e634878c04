import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Config, readConfig } from "../../src/config.ts";
import type { Content } from "../../src/moderation/content.ts";
import { judgesOf, reuseDigest } from "../../src/moderation/reuse-digest.ts";

const CONTENT: Content = {
  verdictId: "vrd_1",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  text: "Good morning",
  pictures: [],
  test: null,
  batchId: null,
};

const bytes = (...all: number[]): Content["pictures"][number] => ({
  kind: "picture",
  picture: { bytes: new Uint8Array(all), format: "png", width: 1, height: 1 },
});

const digest = (fields: Partial<Content> = {}, judges = "j") =>
  reuseDigest({ ...CONTENT, ...fields }, judges);

const config = ((): Config => {
  const read = readConfig(env);
  if (read.kind !== "ready") throw new Error("misconfigured");
  return read.config;
})();

describe("reuseDigest", () => {
  it("is the same whoever wrote it, and wherever", async () => {
    const others = { verdictId: "vrd_2", contentId: "c", userId: "u", metadata: { a: "b" } };
    expect(await digest({ ...others, batchId: "bat_1" })).toBe(await digest());
  });

  it.each<[string, Partial<Content>]>([
    ["a blank", { text: "Good morning " }],
    ["another form of a letter", { text: "Good morni\u{FF4E}g" }],
    ["a language", { language: "en" }],
    ["no text", { text: null }],
    ["an empty text", { text: "" }],
    ["a picture", { pictures: [bytes(1)] }],
    ["another picture", { pictures: [bytes(2)] }],
    ["two pictures", { pictures: [bytes(1), bytes(2)] }],
    ["the same in another order", { pictures: [bytes(2), bytes(1)] }],
    ["pictures without a text", { text: null, pictures: [bytes(1)] }],
    ["pictures with an empty text", { text: "", pictures: [bytes(1)] }],
  ])("is another one for %s", async (_, fields) => {
    const all = await Promise.all([
      digest(),
      digest(fields),
      digest({ pictures: [bytes(1, 2)] }),
      digest({ ...fields, pictures: [...(fields.pictures ?? []), bytes(3)] }),
      digest(fields, "k"),
    ]);
    expect(new Set(all).size).toBe(5);
  });

  it("tells no text from an empty one", async () => {
    const pictures = [bytes(1)];
    expect(await digest({ text: null, pictures })).not.toBe(await digest({ text: "", pictures }));
  });

  it.each<[string, Partial<Content>]>([
    ["a URL", { pictures: [{ kind: "url", url: new URL("https://a.example/b.png") }] }],
    ["a test input", { test: "block" }],
    ["a text that is not well-formed", { text: "\u{D800}" }],
  ])("cannot be told of %s", async (_, fields) => {
    expect(await digest(fields)).toBeNull();
  });
});

describe("judgesOf", () => {
  it("is another one for another engine, model, server or language", () => {
    const { openai } = config;
    const others: Partial<Config>[] = [
      { openai: { ...openai, baseUrl: "https://models.example" } },
      { openai: { ...openai, models: { a: "b" } } },
      { openai: { ...openai, defaultModel: "a" } },
      { judgeLanguages: { all: ["en"], models: {} } },
      { workersPlan: config.workersPlan === "free" ? "paid" : "free" },
      // One that there is not yet.
      { judgePrompt: "be strict" } as Partial<Config>,
    ];
    const all = [
      judgesOf(config, "workers-ai"),
      judgesOf(config, "embedded"),
      ...others.map((other) => judgesOf({ ...config, ...other }, "workers-ai")),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("does not change with what moves no verdict, and has no secrets in it", () => {
    const { openai } = config;
    const other: Config = {
      ...config,
      keySecrets: ["a-secret-of-keys"],
      adminToken: "a-secret-of-the-admin",
      openai: { ...openai, apiKey: "a-secret-of-the-server" },
      prices: { a: { input_token: 1 } },
      logLevel: "error",
    };
    expect(judgesOf(other, "embedded")).toBe(judgesOf(config, "embedded"));
    expect(judgesOf(other, "embedded")).not.toContain("a-secret");
  });
});
