// The process that server.mjs starts: the built Worker in Miniflare, with every binding of
// wrangler.toml but the remote ones. It ends with whoever started it.
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { bundle, modules, stateDir, port, bindings, aiUrl } = JSON.parse(process.argv[2]);

/** Also a dependency of a dependency is found, wherever npm has put it. */
async function load(/** @type {string} */ name, /** @type {string} */ from) {
  const path = createRequire(from).resolve(name);
  return { path, module: await import(pathToFileURL(path).href) };
}

const wrangler = await load("wrangler", fileURLToPath(import.meta.url));
const { module: miniflare } = await load("miniflare", wrangler.path);
const { workerOptions } = wrangler.module.unstable_getMiniflareWorkerOptions(
  `${ROOT}wrangler.toml`,
);
const server = new miniflare.Miniflare(
  miniflare.convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    resourcePersistencePath: stateDir,
    workers: [
      {
        ...workerOptions,
        name: "neurogate",
        rootPath: bundle,
        modules,
        modulesRules: undefined,
        ai: aiUrl && { binding: "AI", remoteProxyConnectionString: new URL(aiUrl) },
        bindings: { ...workerOptions.bindings, ...bindings },
      },
    ],
  }),
);

process.stdin.resume().on("end", async () => {
  await server.dispose();
  process.exit(0);
});
process.stdout.write(`Serving at ${(await server.ready).origin}\n`);
