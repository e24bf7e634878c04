import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { GenerationAdmit } from "../../durable-objects/tenant/protocol.ts";
import { parentOf } from "../../src/domain/ledger/ledger.ts";
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

it("a line names what its call was made for, settled or expired, and no other line does", async () => {
  const tenant = await aTenant();
  const made = { documentId: "doc_1", runId: "run_1", step: "embed" };
  const settled = admitted(await ask(tenant, { sessionId: "ses_1", ...made })).hold;
  const expired = admitted(await ask(tenant, { sessionId: "ses_2" })).hold;
  const other = admitted(await ask(tenant)).hold;
  expect(settled).toMatchObject({ sessionId: "ses_1", ...made });
  for (const name of ["sessionId", "documentId", "runId", "step"]) {
    expect(other).not.toHaveProperty(name);
  }
  for (const hold of [settled, other]) {
    const ran = { items: voidItemsOf(hold), verdicts: [], account: null, reply: null };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { settlement } = await tenant.stub().settle({ callId: hold.callId, ...ran });
    expect(settlement).toMatchObject({ line: parentOf(hold) });
  }
  // What the object has read from its rows, not what it remembers.
  await evictDurableObject(env.TENANT.getByName(tenant.id));
  vi.setSystemTime(NOW + DEADLINE);
  const lines = await tenant.lines();
  const named = new Map(
    lines.map((line) => {
      const { session_id, document_id, run_id, step } = toJournalLine(line);
      return [line.callId, { session_id, document_id, run_id, step }];
    }),
  );
  expect(named).toEqual(
    new Map([
      [
        settled.callId,
        { session_id: "ses_1", document_id: "doc_1", run_id: "run_1", step: "embed" },
      ],
      [expired.callId, { session_id: "ses_2" }],
      [other.callId, {}],
    ]),
  );
});
