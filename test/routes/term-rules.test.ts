import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";

// Terms that say how they match, what is read of them and by whom, and texts that are ill-formed.

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("term-rules");
});

async function under(policy: object, text: string) {
  const put = await tenant.call("PUT", "/v1/policies/trial", policy);
  expect(put.status).toBe(200);
  return tenant.call("POST", "/v1/verdicts", { text, policy: "trial" });
}

describe("a policy's terms", () => {
  it("come back as they were put, and may be put again", async () => {
    const block = ["zyzzyva", { term: "año", match: "word", category: "sexual" }];
    const put = await tenant.call("PUT", "/v1/policies/back", { terms: { block, allow: [] } });
    expect(put.body.terms).toEqual({ block, allow: [] });
    expect(put.body).not.toHaveProperty("matching");
    const { body } = await tenant.call("GET", "/v1/policies/back");
    expect((await tenant.call("PUT", "/v1/policies/back", body)).status).toBe(200);
  });

  it("may be two thousand in 512 KB", async () => {
    const block = Array.from({ length: 2000 }, (_, at) => `${at}`.padEnd(200, "x"));
    const put = await tenant.call("PUT", "/v1/policies/large", { terms: { block } });
    expect(put.status).toBe(200);
    const sent = { text: `such a ${block[1999]}`, policy: "large" };
    expect((await tenant.call("POST", "/v1/verdicts", sent)).body.decision).toBe("block");
  });

  it.each([
    [{ term: "x", match: "fuzzy" }],
    [{ term: "" }],
    [{ match: "word" }],
    [{ term: "x", category: "swimwear" }],
  ])("refuse %j", async (term) => {
    const put = await tenant.call("PUT", "/v1/policies/wrong", { terms: { block: [term] } });
    expect(put.status).toBe(400);
    expect(put.body.errors[0].pointer).toContain("#/terms/block/0");
  });

  it("are named to who reviews, and to nobody else", async () => {
    const block = [{ term: "zyzzyva", category: "harassment" }];
    const posted = await under({ terms: { block } }, "Oh, a zуzzyva!");
    expect(posted.body.reasons).toEqual([
      {
        kind: "term",
        category: "harassment",
        input: "text",
        score: null,
        threshold: null,
        message: "Block term 0 of this policy matched.",
      },
    ]);
    const read = await tenant.call("GET", `/v1/verdicts/${posted.body.id}`);
    expect(read.body.reasons[0]).toMatchObject({
      term: "zyzzyva",
      spans: [{ start: 6, end: 13 }],
    });
    const dropIn = await tenant.call("POST", "/v1/moderations", {
      input: "Oh, a zyzzyva!",
      neurogate: { policy: "trial" },
    });
    expect(dropIn.body.results[0]).toMatchObject({
      flagged: true,
      categories: { harassment: true },
    });
    expect(JSON.stringify(dropIn.body)).not.toContain("zyzzyva");
  });
});

describe("ill-formed Unicode", () => {
  it("is repaired where bodies come in, in every field", async () => {
    const { body } = await tenant.call("POST", "/v1/verdicts", {
      text: "Good morning, cut: \ud83d",
      user_id: "u\udc00",
      content_id: "c\ud83d",
      metadata: { "k\ud83d": "v\ud83d" },
    });
    expect(body).toMatchObject({
      user_id: "u\ufffd",
      content_id: "c\ufffd",
      metadata: { "k\ufffd": "v\ufffd" },
    });
  });

  it("hides no phrase, and neither does a carriage return", async () => {
    const text = "Great watches. Buy\rnow! Click\rhere! \ud83d";
    const { body } = await tenant.call("POST", "/v1/verdicts", { text });
    expect(body).toMatchObject({ decision: "block", scores: { spam: 0.7 } });
  });
});
