// `npm start` runs this: a local Neurogate with a demo tenant. It needs only Node and the packages of
// `npm ci`: no account and no network.
//
//   PORT                 where to listen on 127.0.0.1 (8787; 0 takes any free one)
//   INFERENCE            "embedded" (default) or "openai", which needs OPENAI_BASE_URL
//   NEUROGATE_STATE_DIR  where secrets, data and the demo key are kept (this repository)
//
// The other settings of src/config.ts are passed on too.
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DEMO_TENANT, demoKey } from "./demo-tenant.mjs";
import { buildPages, checkInstalled, DevServer } from "./dev-server.mjs";
import { devSecrets } from "./dev-secrets.mjs";
import { otherServer } from "./only-one.mjs";
import { StartFailure } from "./start-failure.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HOST = "127.0.0.1";

/** How often we check that npm still runs. */
const PARENT_POLL_MS = 500;

/** @type {DevServer | null} */
let server = null;
let ending = false;

/** Ends every process that was started, then this one. */
async function end(/** @type {number} */ code) {
  if (ending) return;
  ending = true;
  await server?.stop();
  process.exit(code);
}

async function start() {
  // The last output may have no reader. That must not stop us from ending in good order.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
  endWithNpm();

  checkNode();
  checkInstalled(ROOT);
  const stateDir = resolve(ROOT, process.env.NEUROGATE_STATE_DIR || ".");
  const port = await freePort(process.env.PORT || "8787");
  const url = `http://${HOST}:${port}`;
  const secrets = devSecrets(join(stateDir, ".dev.vars"));
  const adminToken = secrets.values.ADMIN_TOKEN;
  const other = await otherServer(join(stateDir, ".neurogate", "lock"), url);
  if (other !== null) {
    throw new StartFailure(
      `Another Neurogate serves this data already, at ${other}.\n` +
        "Stop it, or give this one a folder of its own: NEUROGATE_STATE_DIR=… PORT=0 npm start",
    );
  }

  console.log(`Starting Neurogate at ${url} …`);
  await buildPages(ROOT);
  server = new DevServer({ root: ROOT, host: HOST, port, stateDir, secrets });
  await server.ready(url);
  const key = await demoKey({ url, adminToken, file: join(stateDir, ".neurogate", "demo-key") });
  if (!ending) console.log(welcome({ url, key, adminToken }));
  const why = await Promise.race([server.exited, server.silent(url)]);
  throw new StartFailure(`The server ended by itself: ${why}.`);
}

/**
 * npm passes SIGINT and SIGTERM on to its child. That is this process and not a shell, since the script
 * in package.json begins with `exec`. But no signal says that the parent was killed. So we check whether
 * our parent has changed.
 */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  setInterval(() => process.ppid !== npm && end(0), PARENT_POLL_MS).unref();
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 12)) return;
  throw new StartFailure(`Neurogate needs Node 20.12 or newer; this is ${process.versions.node}.`);
}

/** Checks the port before wrangler does, whose error for a port in use is long. */
async function freePort(/** @type {string} */ wanted) {
  const port = Number(wanted);
  if (!/^\d+$/.test(wanted) || port > 65_535) {
    throw new StartFailure(`PORT must be a number from 0 to 65535, not "${wanted}".`);
  }
  const probe = createServer();
  try {
    return await new Promise((done, refuse) => {
      probe.once("error", refuse);
      probe.listen(port, HOST, () => done(probe.address().port));
    });
  } catch (error) {
    const why = error.code === "EADDRINUSE" ? "is taken" : `cannot be used (${error.code})`;
    throw new StartFailure(
      `Port ${port} of ${HOST} ${why}. Is another Neurogate running?\n` +
        `Stop it, or choose another port: PORT=${port + 1} npm start`,
    );
  } finally {
    await new Promise((done) => probe.close(done));
  }
}

function welcome({ url, key, adminToken }) {
  return `
Neurogate is ready.

  URL          ${url} (the console, in a browser)
  Key          ${key}
               tenant ${DEMO_TENANT}, role manage
  Admin token  ${adminToken}

Ask for a verdict:

  curl -s ${url}/v1/verdicts -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '{"text":"Hello, have a nice day!"}'

${judged()}Stop with Ctrl-C.
`;
}

/** The content that the engine inside the Worker judges. For a language model it is not known here. */
function judged() {
  if ((process.env.INFERENCE || "embedded") !== "embedded") return "";
  return `Judged here: English text (toxicity, harassment, threats, hate, self-harm, sexual content, sentiment) and nudity in pictures; other languages, violence and the rest are not (docs/embedded-engine.md).

`;
}

function fail(/** @type {unknown} */ error) {
  // While we end, a request that was cut short is no failure.
  if (ending) return;
  console.error(error instanceof StartFailure ? `\n${error.message}` : error);
  void end(1);
}

start().catch(fail);
