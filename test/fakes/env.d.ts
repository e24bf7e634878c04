// What vitest.config.ts adds to the bindings for tests.
declare namespace Cloudflare {
  interface Env {
    /** The fake of Workers AI: see workers-ai-server.mjs. */
    FAKE_AI_URL: string;
    /** The fake of Cloudflare's GraphQL: see cloudflare-graphql.mjs. A setting of the Worker's own. */
    CLOUDFLARE_GRAPHQL_URL: string;
  }
}
