import { madePictures } from "../../../src/domain/tenant/personal-record.ts";
import type { TenantContext, TenantFeature } from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import { ADJUSTMENTS } from "./adjustment-schema.ts";
import { GRANTS } from "./grant-schema.ts";
import { LEDGER, VIOLATIONS } from "./ledger-schema.ts";
import { charged } from "../../../src/domain/ledger/ledger.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Caller } from "../protocol.ts";

export const JOURNAL_FEATURE: TenantFeature = {
  name: "journal",
  tables: [LEDGER, VIOLATIONS, GRANTS, ADJUSTMENTS],
  capability: ({ stores: { ledger, persons, archives } }) => ({
    forget: () => ledger.reset(),
    maintain: ({ nowMs }) => {
      ledger.walk.goOn(nowMs);
      return ledger.walk.isRunning;
    },
    dueMs: (nowMs) => (ledger.walk.isRunning ? nowMs : ledger.firstDeadlineMs()),
    personal: [
      personalData<"journal_line">({
        name: "journal_lines",
        find: (person, from) => persons.journalLines(person, from),
        erase: (_, { line }) => {
          persons.forgetPersonOfLine(line.callId);
          archives.spoil();
        },
        everywhere: () =>
          archives.withPersons().map((day) => ({ kind: "archive", subject: String(day) })),
        files: ({ line }) =>
          madePictures(line) ? [{ kind: "image_call", subject: line.callId }] : [],
      }),
    ],
  }),
};

export const JOURNAL_OPERATIONS = {
  listPeriods: ({ ask }: TenantContext, caller: Caller, from: Day, to: Day) =>
    ask(caller, ({ stores, profile, nowMs }) => {
      stores.refusals.flush();
      stores.ledger.flush();
      const periods = stores.journal.listPeriods(from, to);
      return { kind: "periods" as const, tenant: profile.id, periods, nowMs };
    }),

  /** How much a call that has ended was charged; null: it has not ended. */
  chargeOf: ({ ofGeneration }: TenantContext, generation: number, callId: string) =>
    ofGeneration(generation, null, ({ stores }) => {
      const entry = stores.ledger.entry(callId);
      return entry?.kind === "line" ? charged(entry.line) : null;
    }),
};
