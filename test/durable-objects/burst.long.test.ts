import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TenantObject } from "../../src/edge/bindings.ts";
import {
  admitRequest,
  admitted,
  aTenant,
  broken,
  cleanUp,
  inTenant,
  settleRequest,
  stopClock,
} from "./a-tenant.ts";

// Ten thousand calls of one tenant at once.

beforeEach(() => stopClock());
afterEach(cleanUp);

describe("a burst", () => {
  it(
    "beyond what could ever be in progress is turned away, and nothing else is",
    { timeout: 60_000 },
    async () => {
      const tenant = await aTenant();
      const known = admitRequest({ caller: tenant.key });
      const { hold } = admitted(await tenant.stub().admit(known));
      const requests = Array.from({ length: 10_011 }, () => admitRequest({ caller: tenant.key }));
      const [admits, repeated, settled] = await inTenant(tenant.id, (_, instance) => {
        const object = instance as TenantObject;
        // The first begins a commit; ten thousand wait for the next.
        const burst = requests.map((request) => object.admit(request));
        return Promise.all([
          Promise.all(burst),
          object.admit(known),
          object.settle(settleRequest(hold)),
        ]);
      });
      // Who is asked for in which message of the account decides who is first.
      const kinds = admits.map(({ kind }) => kind);
      const countOf = (kind: string): number => kinds.filter((one) => one === kind).length;
      expect(countOf("unavailable")).toBe(10);
      // The known hold is in progress too, until it is settled.
      expect(countOf("admitted")).toBeGreaterThanOrEqual(9_999);
      expect(countOf("admitted") + countOf("concurrency_exceeded")).toBe(10_001);
      expect(admitted(repeated).hold).toEqual(hold);
      expect(settled.settlement.kind).toBe("settled");

      const { inFlight } = await tenant.limits();
      expect(inFlight.used).toBe(countOf("admitted"));
      expect(inFlight.used).toBeLessThanOrEqual(10_000);
      // Nobody waits any more: whoever was turned away may come back.
      expect((await tenant.admit()).kind).not.toBe("unavailable");
      expect(await broken(tenant.id)).toEqual([]);
    },
  );
});
