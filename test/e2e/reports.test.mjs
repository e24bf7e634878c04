// Reports after a kill that met rows before any was sent. (Kills while rows are underway:
// ../long/reports.test.mjs.)
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import { after, before, test } from "node:test";
import { reportsOutliveKills } from "./report-kills.mjs";
import { Server } from "./server.mjs";

const server = new Server();
before(() => server.start());
after(() => server.stop());

test("killed before rows are underway", { timeout: 300_000 }, () =>
  reportsOutliveKills(server, [0]),
);
