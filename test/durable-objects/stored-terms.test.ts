import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeTenant } from "../client.ts";

// A policy that was stored before terms said how they match.

describe("a policy of before", () => {
  it("keeps its version and its way of matching until its terms are put again", async () => {
    const tenant = await makeTenant("stored-terms");
    const terms = { block: ["ばか", "badword"], allow: [] };
    const put = await tenant.call("PUT", "/v1/policies/old", { terms });
    await runInDurableObject(env.TENANT.getByName("stored-terms"), (_, state) => {
      state.storage.sql.exec(
        "UPDATE policies SET body = json_remove(body, '$.format') WHERE name = 'old'",
      );
    });
    const judged = async (text: string): Promise<string> =>
      (await tenant.call("POST", "/v1/verdicts", { text, policy: "old" })).body.reasons
        .map(({ kind, message }: { kind: string; message: string }) =>
          kind === "term" ? message.slice(11, 12) : "",
        )
        .join("");
    await tenant.call("PUT", "/v1/policies/other", {});
    expect(await judged("わたしはかえります。 b4dword")).toBe("0");

    const patched = await tenant.call("PATCH", "/v1/policies/old", { evaluate_all: false });
    expect(patched.body.version).toBe(put.body.version);
    await tenant.call("PATCH", "/v1/policies/old", { language: "ja" });
    expect(await judged("わたしはかえります。 b4dword")).toBe("0");

    const { body } = await tenant.call("GET", "/v1/policies/old");
    await tenant.call("PUT", "/v1/policies/old", body);
    expect(await judged("わたしはかえります。 b4dword")).toBe("1");
  });
});
