import { describe, expect, it } from "vitest";
import { makeTenant } from "../client.ts";

describe("POST /v1/verdicts", () => {
  it("judges a text, charges it as the models it stands in for, and says who judged", async () => {
    const tenant = await makeTenant("verdict-text");
    const text = "Buy now, you useless idiot - limited offer!";
    const reply = await tenant.call("POST", "/v1/verdicts", { text });

    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      object: "verdict",
      decision: "block",
      approved: false,
      // The word lists say nothing of hate, which the default policy asks for.
      partial: true,
      actions: ["hide_content", "warn_user"],
      scores: { spam: 0.7 },
      coverage: { toxicity: "evaluated", spam: "evaluated", nsfw: "not_required" },
    });
    const stages = reply.body.stages as { name: string; engine: string; micro_neurons: number }[];
    expect(stages.map(({ name, engine }) => `${name}: ${engine}`)).toEqual([
      "sentiment: embedded",
      "spam: rules",
      "judge: embedded",
    ]);
    expect(stages.reduce((sum, stage) => sum + stage.micro_neurons, 0)).toBe(
      reply.body.micro_neurons,
    );
    const judged = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: "Nice to meet you" });
    expect(judged.body).toMatchObject({ approved: true, partial: false });
    expect(reply.headers.get("x-neurogate-engine")).toBe("embedded");
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe(String(reply.body.micro_neurons));
  });
});
