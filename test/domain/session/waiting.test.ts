import { expect, it } from "vitest";
import { MOST_WAIT_MS } from "../../../src/domain/session/session.ts";
import { BODY_LIMITS } from "../../../src/io/body-budget.ts";

/** From the admission of a call to the end of its hold. */
const CALL_MS = 90_000;

it("a message that waits for its turn keeps its memory until its call ends", () => {
  expect(MOST_WAIT_MS + CALL_MS).toBeLessThan(BODY_LIMITS.goneMs);
});
