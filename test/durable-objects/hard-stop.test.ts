import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { makeTenant, type Reply, type TestTenant } from "../client.ts";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import {
  allLines,
  amountOf,
  broken,
  cleanUp,
  MIDNIGHT,
  NOW,
  PICTURE,
  stopClock,
} from "./a-tenant.ts";

// The one promise of the free plan, through the whole Worker: no call beyond the day's quota.

beforeEach(() => stopClock());
afterEach(cleanUp);

const UNLIMITED = {
  max_in_flight: 10_000,
  rpm: {
    requests: 100_000,
    image_classification: 100_000,
    text_generation: 100_000,
    text_classification: 100_000,
  },
};

const countBy = (replies: readonly Reply[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status, body } of replies) {
    const name = status === 200 ? "admitted" : String(body.kind);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

/** A picture is looked at for labels alone, at 228,055 µN, neither more nor less. */
async function labelsOnly({ call }: TestTenant): Promise<void> {
  const nsfw = { ...defaultPolicy("embedded").categories.nsfw, inputs: [], required: false };
  const put = await call("PUT", "/v1/policies/default", {
    categories: { nsfw },
    models: { vision: null },
  });
  expect(put.status).toBe(200);
}

async function onePicture(): Promise<unknown> {
  const grey = { width: 1, height: 1, depth: 8, colour: 0 };
  return { images: [{ base64: (await makePng(grey, [[128]])).toBase64() }] };
}

describe("the hard stop of the free plan", () => {
  it(
    "admits exactly 400 of 1,000 concurrent calls that 400 fit",
    { timeout: 180_000 },
    async () => {
      const limit = 400 * PICTURE;
      const tenant = await makeTenant("hard-stop-pictures", {
        daily_neurons: 91.222,
        ...UNLIMITED,
      });
      await labelsOnly(tenant);
      const body = await onePicture();
      const replies = await Promise.all(
        Array.from({ length: 1000 }, () => tenant.call("POST", "/v1/verdicts", body)),
      );

      const {
        admitted,
        quota_exceeded: exceeded = 0,
        quota_reserved: reserved = 0,
      } = countBy(replies);
      expect(admitted).toBe(400);
      expect(exceeded + reserved).toBe(600);
      expect(
        replies
          .filter(({ status }) => status === 200)
          .every(({ body: b }) => b.micro_neurons === PICTURE),
      ).toBe(true);

      const next = await tenant.call("POST", "/v1/verdicts", body);
      expect(next.status).toBe(429);
      expect(next.headers.get("x-should-retry")).toBe("false");
      expect(next.headers.get("Retry-After")).toBe(String(Math.ceil((MIDNIGHT - NOW) / 1000)));
      expect(next.body).toMatchObject({
        kind: "quota_exceeded",
        "violated-policies": ["daily"],
        resets_at: new Date(MIDNIGHT).toISOString(),
        limit_micro_neurons: limit,
        posted_micro_neurons: limit,
        pending_micro_neurons: 0,
        available_micro_neurons: 0,
        required_micro_neurons: PICTURE,
      });

      const lines = await allLines(tenant.id);
      expect(lines).toHaveLength(400);
      expect(lines.reduce((sum, line) => sum + amountOf(line), 0)).toBe(limit);
      const limits = await tenant.call("GET", "/v1/limits");
      expect(limits.body).toMatchObject({ posted_micro_neurons: limit, pending_micro_neurons: 0 });
      expect(await broken(tenant.id)).toEqual([]);
    },
  );

  it(
    "leaves less than one bound unused when reserved calls come again",
    { timeout: 180_000 },
    async () => {
      const tenant = await makeTenant("hard-stop-texts", { daily_neurons: 200, ...UNLIMITED });
      const looks: number[] = [];
      const look = async (): Promise<number> => {
        const { body } = await tenant.call("GET", "/v1/limits");
        looks.push(body.posted_micro_neurons + body.pending_micro_neurons);
        return body.posted_micro_neurons as number;
      };
      let bound = 0;
      const outcomes: string[] = [];
      const caller = async (): Promise<void> => {
        for (;;) {
          // oxlint-disable-next-line no-await-in-loop -- a client sends one call after the other
          const reply = await tenant.call("POST", "/v1/verdicts", {
            text: "What a lovely morning.",
          });
          outcomes.push(reply.status === 200 ? "admitted" : String(reply.body.kind));
          if (reply.status !== 200) bound = reply.body.required_micro_neurons;
          // oxlint-disable-next-line no-await-in-loop -- after each call
          await look();
          if (reply.body.kind === "quota_exceeded") return;
        }
      };
      await Promise.all(Array.from({ length: 40 }, caller));

      expect(new Set(outcomes)).toEqual(new Set(["admitted", "quota_reserved", "quota_exceeded"]));
      expect(Math.max(...looks)).toBeLessThanOrEqual(200_000_000);
      const posted = await look();
      expect(200_000_000 - posted).toBeLessThan(bound);
      const lines = await allLines(tenant.id);
      expect(lines.reduce((sum, line) => sum + amountOf(line), 0)).toBe(posted);
      expect(lines.every((line) => amountOf(line) < line.held)).toBe(true);
    },
  );
});
