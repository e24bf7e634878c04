// Once for all end-to-end files of a run (`node --test-global-setup`): the official clients are
// there, the Worker is built, and the server that files share has started.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildConsole } from "../../scripts/build-console.mjs";
import { build, Server, SHARED } from "./server.mjs";

const bundle = mkdtempSync(join(tmpdir(), "neurogate-bundle-"));
const server = new Server();

export async function globalSetup() {
  await buildConsole();
  await build(bundle);
  process.env[SHARED.bundle] = bundle;
  await server.start();
  process.env[SHARED.url] = server.url;
  process.env[SHARED.adminToken] = server.adminToken;
}

/** Fails the run when the server has printed anything secret. */
export async function globalTeardown() {
  try {
    await server.stop();
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
}
