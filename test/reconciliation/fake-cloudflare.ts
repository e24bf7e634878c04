import { env } from "cloudflare:workers";

// An account of the fake of Cloudflare's GraphQL (test/fakes/cloudflare-graphql.mjs), one for a test.

export interface CountedRow {
  readonly modelId: string;
  readonly count: number;
  readonly totalNeurons: number;
  readonly totalInputTokens?: number;
  readonly totalOutputTokens?: number;
}

export interface FakeAccount {
  readonly accountId: string;
  readonly apiToken: string;
  /** As the Worker is told of it. */
  readonly env: Readonly<Record<string, string>>;
  /** What it says from now on; days that are not named have no figures. */
  readonly says: (
    days: Readonly<Record<string, readonly CountedRow[]>>,
    behaviour?: string,
    sets?: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => Promise<void>;
  /** How often it was asked since. */
  readonly asked: () => Promise<number>;
}

const randomHex = (bytes: number): string => crypto.getRandomValues(new Uint8Array(bytes)).toHex();

export function fakeAccount(): FakeAccount {
  const accountId = randomHex(16);
  const apiToken = `cf-token-${randomHex(16)}`;
  const url = new URL(`/__accounts/${accountId}`, env.CLOUDFLARE_GRAPHQL_URL);
  return {
    accountId,
    apiToken,
    env: { CLOUDFLARE_ACCOUNT_ID: accountId, CLOUDFLARE_API_TOKEN: apiToken },
    says: async (days, behaviour = "ok", sets = {}) => {
      const body = JSON.stringify({ token: apiToken, behaviour, days, sets });
      await (await fetch(url, { method: "PUT", body })).text();
    },
    asked: async () => {
      const reply: { asked: number } = await (await fetch(url)).json();
      return reply.asked;
    },
  };
}
