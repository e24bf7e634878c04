import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { copyModels } from "./scripts/copy-models.mjs";
import { keepFilesInMemory } from "./scripts/memory-folder.mjs";
import { speakPlainly } from "./scripts/plain-sockets.mjs";
import { startAccessServer } from "./test/fakes/access-server.mjs";
import { startFakeCloudflare } from "./test/fakes/cloudflare-graphql.mjs";
import { startPictureServer } from "./test/fakes/picture-server.mjs";
import { startFakeWorkersAi } from "./test/fakes/workers-ai-server.mjs";

keepFilesInMemory();
speakPlainly();

// Where wrangler looks for the secrets that wrangler.toml requires, whatever the shell holds.
process.env["KEY_SECRETS"] = "test-key-secret-of-at-least-32-bytes!";
process.env["ADMIN_TOKEN"] = "test-admin-token-of-at-least-32-bytes";

// What the Worker reads through its `ASSETS` binding; the pages are not needed here.
copyModels();

// The `AI` binding is the real class of the runtime; what answers behind it is a local fake.
const fakeAi = await startFakeWorkersAi();
const fakeAccess = await startAccessServer();
const fakePictures = await startPictureServer();
const fakeCloudflare = await startFakeCloudflare();

/** Folders of tests that touch none of the runtime's APIs: they run in Node, in a tenth of the time. */
const PURE = [
  "test/domain/**/*.test.ts",
  "test/audio/**/*.test.ts",
  "test/console/**/*.test.ts",
  "test/metrics/**/*.test.ts",
  "test/api/**/*.test.ts",
];

/** What takes long, random histories above all, is run by `npm run test:long`. */
const LONG = "**/*.long.test.ts";
const isLong = process.env["NEUROGATE_TESTS"] === "long";
const ofKind = (files: readonly string[]): string[] =>
  isLong ? files.map((file) => file.replace(/\.test\.ts$/, ".long.test.ts")) : [...files];

/**
 * Modules are imported once for all files of a worker: to import them for each took nearly half of the
 * time. What one file could leave to the next is cleared by `test/setup/workers.ts`. One worker fewer
 * than there are cores, which vitest takes by default, would leave half of a small machine idle. A busy
 * machine may take its time: nothing here asserts how long something takes.
 */
const SHARED = {
  isolate: false,
  maxWorkers: "100%",
  // With it, each file's worker is sent anew all modules that it has already: 17 MB, for 190 files.
  fsModuleCache: false,
  // What is printed goes straight out. By way of vitest, a line that comes as a busy machine's worker ends
  // would fail the run.
  disableConsoleIntercept: true,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...SHARED,
          name: "pure",
          include: ofKind(PURE),
          exclude: isLong ? [] : [LONG],
          pool: "threads",
          // One group after the other: a worker of the runtime is not ended for a file of the other.
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [
          cloudflareTest({
            remoteBindings: false,
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              ai: { binding: "AI", remoteProxyConnectionString: fakeAi.url },
              // What one file's objects send would arrive while the next one runs. A test that is about
              // the queue delivers by hand (`test/reports/fake-queue.ts`).
              queueProducers: {
                USAGE: { queueName: "unread" },
                USAGE_DEAD: { queueName: "unread" },
              },
              bindings: {
                INFERENCE: "embedded",
                FAKE_AI_URL: fakeAi.url.href,
                FAKE_ACCESS_URL: fakeAccess.url.href,
                FAKE_PICTURES_URL: fakePictures.url.href,
                CLOUDFLARE_GRAPHQL_URL: fakeCloudflare.url.href,
              },
            },
          }),
        ],
        test: {
          ...SHARED,
          name: "workers",
          include: ofKind(["test/**/*.test.ts"]),
          exclude: [...PURE, ...(isLong ? [] : [LONG]), "**/node_modules/**"],
          setupFiles: ["test/setup/workers.ts"],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
