import { reset } from "cloudflare:test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BOUNDARY,
  CHATS,
  formOf,
  FORMS,
  JSONS,
  RUN_BODIES,
  SOUNDS,
} from "../../abuse/hostile-bodies.mjs";
import { ask, failureIn, makeTenant, type TestTenant } from "../client.ts";

// Bodies that are long to read, on the routes that read them: each is answered, and never with a
// failure of ours. What reading them costs is counted in the tests of the readers.

const FORM = { "Content-Type": `multipart/form-data; boundary=${BOUNDARY}` };
const JSON_TYPE = { "Content-Type": "application/json" };

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("hostile", { daily_neurons: 1_000_000 });
});
afterAll(() => reset());

const send = (path: string, body: Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
  ask("POST", path, { key: tenant.key, body, headers });

const runPath = () => `/client/v4/accounts/${tenant.id}/ai/run/@cf/openai/whisper`;

describe("a chat", () => {
  it.each(Object.keys(CHATS))("is answered or refused: %s", async (kind) => {
    const { status, body } = await send(
      "/v1/chat/completions",
      CHATS[kind]?.(60_000) ?? new Uint8Array(),
    );
    // The embedded engine says so where it cannot fill a schema.
    const isUnable = status === 501 && failureIn(body).kind === "engine_unsupported";
    expect(isUnable || status < 500, JSON.stringify(body).slice(0, 200)).toBe(true);
  });
});

describe("a Workers AI body", () => {
  it.each(Object.keys(RUN_BODIES))("is refused: %s", async (kind) => {
    const { status } = await send(runPath(), RUN_BODIES[kind]?.(1_000_000) ?? new Uint8Array());
    expect(status).toBe(400);
  });

  it("says which field came twice", async () => {
    const body = new TextEncoder().encode('{"audio":[1],"audio":[2]}');
    expect(JSON.stringify((await send(runPath(), body)).body)).toContain("must be sent once");
  });

  it.each(Object.keys(JSONS))("of JSON is refused: %s", async (kind) => {
    const { status } = await send(runPath(), JSONS[kind]?.(1_000_000) ?? new Uint8Array());
    expect(status).toBe(400);
  });
});

describe("a form", () => {
  const path = "/v1/audio/transcriptions";

  it.each(Object.keys(FORMS))("is refused: %s", async (kind) => {
    const { status } = await send(path, FORMS[kind]?.(1_000_000) ?? new Uint8Array(), FORM);
    expect(status).toBe(400);
  });

  it.each(["webm: a track in two bytes", "ogg: a stream a page", "mp4: tracks without anything"])(
    "around a recording of 25 MB is refused, and says what can be read: %s",
    async (kind) => {
      const file = SOUNDS[kind]?.(25_000_000) ?? new Uint8Array();
      const { status, body } = await send(path, formOf(file), FORM);
      expect(status).toBe(400);
      expect(body.error.code).toBe("unbounded_usage");
    },
  );
});
