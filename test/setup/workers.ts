import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, vi } from "vitest";
import { expectSilence, hide, watchConsole } from "../printed.ts";

// Runs before each file of tests in the Workers runtime. Files share a worker and the modules in it:
// what one leaves behind in the clock, in globals or in storage is gone before the next begins.

watchConsole();

afterAll(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  await reset();
  hide(env.ADMIN_TOKEN);
  hide(env.KEY_SECRETS);
  expectSilence();
});
