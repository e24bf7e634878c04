import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { createWorkersAiEngine } from "../../../src/engines/workers-ai/engine.ts";
import type { Picture } from "../../../src/engines/picture.ts";

// The small tasks on the real `Ai` class, as far as routes do not show them: what has no price.

const DETR = "@cf/facebook/detr-resnet-50";
const LLAVA = "@cf/llava-hf/llava-1.5-7b-hf";

const hold: Hold = JSON.parse("{}");
const { generators } = createWorkersAiEngine(env.AI);
const options = { timeoutMs: 5_000 };

/** What the fake is told stands in the picture's bytes. */
const picture = (text: string): Picture => ({
  bytes: new TextEncoder().encode(text).slice(),
  format: "png",
  width: 8,
  height: 8,
});

const marked = (behaviour: string): string => `[[fake:${behaviour}|${crypto.randomUUID()}]]`;

const detect = async (behaviour: string) =>
  generators.objects?.(hold, { model: DETR, picture: picture(marked(behaviour)) }, options);

describe("objects", () => {
  it("are read with their boxes", async () => {
    expect(await detect("ok")).toEqual({
      kind: "answered",
      model: DETR,
      output: {
        objects: [{ name: "cat", score: 0.93, box: { xmin: 1, ymin: 2, xmax: 30, ymax: 40.5 } }],
      },
      usage: null,
    });
  });

  it("may be none", async () => {
    expect(await detect("none")).toMatchObject({ kind: "answered", output: { objects: [] } });
  });

  it.each(["no_box", "bad_score", "malformed"])("are not read from %s", async (behaviour) => {
    expect(await detect(behaviour)).toEqual({ kind: "failed", usage: null });
  });
});

const describePicture = async (behaviour: string, looked: Picture | URL | null) =>
  generators.caption?.(
    hold,
    {
      model: LLAVA,
      picture: looked,
      question: `What is it? ${behaviour}`,
      maxTokens: 99,
      parameters: { temperature: 0.5 },
    },
    options,
  );

describe("a description by LLaVA", () => {
  it("is asked with the picture as the body and the rest beside it", async () => {
    const marker = marked("ok");
    expect(await describePicture(marker, picture(marker))).toMatchObject({
      kind: "answered",
      output: { text: "A small square.", finish: null, metrics: {} },
      usage: null,
    });
    const url = new URL(`/__requests?match=${encodeURIComponent(marker)}`, env.FAKE_AI_URL);
    const [request]: readonly { bytes: number; options: { userInputs?: string } }[] = await (
      await fetch(url)
    ).json();
    expect(request?.bytes).toBe(marker.length);
    expect(JSON.parse(request?.options.userInputs ?? "{}")).toEqual({
      prompt: `What is it? ${marker}`,
      max_tokens: 99,
      temperature: 0.5,
    });
  });

  it("needs a picture that was sent", async () => {
    expect(await describePicture("", null)).toEqual({ kind: "unsupported" });
    expect(await describePicture("", new URL("https://example.com/a.png"))).toEqual({
      kind: "unsupported",
    });
  });

  it("fails without a text", async () => {
    expect(await describePicture("", picture(marked("no_text")))).toEqual({
      kind: "failed",
      usage: null,
    });
  });
});
