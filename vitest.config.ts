import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { startAccessServer } from "./test/fakes/access-server.mjs";

import { startFakeCloudflare } from "./test/fakes/cloudflare-graphql.mjs";
import { startPictureServer } from "./test/fakes/picture-server.mjs";
import { startFakeWorkersAi } from "./test/fakes/workers-ai-server.mjs";

// Where wrangler looks for the secrets that wrangler.toml requires, whatever the shell holds.
process.env["KEY_SECRETS"] = "test-key-secret-of-at-least-32-bytes!";
process.env["ADMIN_TOKEN"] = "test-admin-token-of-at-least-32-bytes";

// The `AI` binding is the real class of the runtime; what answers behind it is a local fake.
const fakeAi = await startFakeWorkersAi();
const fakeAccess = await startAccessServer();
const fakePictures = await startPictureServer();
const fakeCloudflare = await startFakeCloudflare();

export default defineConfig({
  plugins: [
    cloudflareTest({
      remoteBindings: false,
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        ai: { binding: "AI", remoteProxyConnectionString: fakeAi.url },
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
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    // One worker fewer than there are cores, which vitest takes by default, leaves half of a small machine idle.
    maxWorkers: "100%",
    // A package whose ES module wraps a CommonJS one is bundled first, as wrangler does.
    deps: { optimizer: { ssr: { enabled: true, include: ["obscenity"] } } },
  },
});
