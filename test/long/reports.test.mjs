// Reports after kills at three moments of a row's way.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import { after, before, test } from "node:test";
import { reportsOutliveKills } from "../e2e/report-kills.mjs";
import { Server } from "../e2e/server.mjs";

// A free account has too little for so many verdicts.
const server = new Server({ CLOUDFLARE_PLAN: "paid" });
before(() => server.start());
after(() => server.stop());

/** After these many ms: before anything was folded, while it is underway, and about when it arrives. */
const KILLS_MS = [0, 5500, 7000];

test("killed before and while rows are underway", { timeout: 300_000 }, () =>
  reportsOutliveKills(server, KILLS_MS),
);
