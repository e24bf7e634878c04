import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { GenerationAdmit } from "../../durable-objects/tenant/protocol.ts";
import { toJournalLine } from "../../src/domain/ledger/journal-object.ts";
import { newId } from "../../src/http/ids.ts";
import {
  admitted,
  aTenant,
  type ATenant,
  cleanUp,
  DEADLINE,
  NOW,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";

beforeEach(() => stopClock());
afterEach(cleanUp);

const ask = (tenant: ATenant, fields: Partial<GenerationAdmit> = {}) =>
  tenant.stub().admit({
    kind: "generation",
    callId: newId("jnl"),
    requestId: newId("req"),
    route: "POST /v1/sessions/{id}/messages",
    caller: tenant.key,
    userId: "u1",
    context: null,
    idempotency: null,
    guard: null,
    model: "@cf/meta/llama-3.1-8b-instruct-fp8",
    measured: {
      kind: "chat",
      chat: { textTokens: 10, messages: 1, images: 0 },
      maxTokens: 10,
      choices: 1,
    },
    fit: false,
    streamed: false,
    ...fields,
  });

it("a message's line names its session, settled or expired, and no other line does", async () => {
  const tenant = await aTenant();
  const settled = admitted(await ask(tenant, { sessionId: "ses_1" })).hold;
  const expired = admitted(await ask(tenant, { sessionId: "ses_2" })).hold;
  const other = admitted(await ask(tenant)).hold;
  expect([settled.sessionId, other.sessionId]).toEqual(["ses_1", undefined]);
  for (const hold of [settled, other]) {
    const ran = { items: voidItemsOf(hold), verdicts: [], account: null, reply: null };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await tenant.stub().settle({ callId: hold.callId, ...ran });
  }
  // What the object has read from its rows, not what it remembers.
  await evictDurableObject(env.TENANT.getByName(tenant.id));
  vi.setSystemTime(NOW + DEADLINE);
  const lines = await tenant.lines();
  const named = lines.map((line) => [line.callId, toJournalLine(line).session_id]);
  expect(new Map(named as [string, string | undefined][])).toEqual(
    new Map([
      [settled.callId, "ses_1"],
      [expired.callId, "ses_2"],
      [other.callId, undefined],
    ]),
  );
});
