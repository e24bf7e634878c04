import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sessionObjectName } from "../../src/domain/session/session.ts";
import type { Reply, TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";

// Chat sessions as a client has them, on the engine that is deployed, with the fake behind it.

export const GEMMA = "@cf/google/gemma-4-26b-a4b-it";

export interface TestSession {
  readonly id: string;
  readonly path: string;
  /** The messages that are kept, as role and text. */
  readonly said: () => Promise<string[]>;
  readonly send: (
    content: string,
    more?: object,
    headers?: Record<string, string>,
  ) => Promise<Reply>;
}

export const sessionStub = (tenant: string, id: string) =>
  env.SESSION.getByName(sessionObjectName(tenant, id));

/** What it answers with: the routes of the tests set it for themselves, an object does not see that. */
export const onWorkersAi = (tenant: string, id: string): Promise<void> =>
  runInDurableObject(sessionStub(tenant, id), (instance) => {
    const object = instance as unknown as { env: Env };
    object.env = { ...object.env, INFERENCE: "workers-ai" };
  });

export async function makeSession(tenant: TestTenant, terms: object = {}): Promise<TestSession> {
  const made = await tenant.call("POST", "/v1/sessions", { model: GEMMA, ...terms });
  if (made.status !== 200) throw new Error(`no session: ${JSON.stringify(made.body)}`);
  const { id } = made.body;
  await onWorkersAi(tenant.id, id);
  return sessionOf(tenant, id);
}

export function sessionOf(tenant: TestTenant, id: string): TestSession {
  const path = `/v1/sessions/${id}`;
  return {
    id,
    path,
    said: async () => {
      const { body } = await tenant.call("GET", `${path}/messages?limit=200`);
      return body.data.map(
        (one: { role: string; content: string }) => `${one.role}: ${one.content}`,
      );
    },
    send: (content, more = {}, headers = {}) => {
      const messages = [{ role: "user", content }];
      return tenant.call("POST", `${path}/messages`, { messages, ...more }, headers);
    },
  };
}

/** A text that nobody else says, which the fake answers once in that way. */
export async function answeredWith(behaviour: string, said = "Good morning"): Promise<string> {
  const id = unique();
  await fetch(new URL("/__script", env.FAKE_AI_URL), {
    method: "POST",
    body: JSON.stringify({ match: id, behaviour, times: 1 }),
  });
  return `${said} ${id}`;
}
