import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Profile } from "../profile-store.ts";
import { forgetReusable } from "./reuse.ts";
import { VERDICTS } from "./verdict-schema.ts";
import { verdictAt } from "../../../src/domain/moderation/review.ts";
import type { Caller } from "../protocol.ts";
import { notFound } from "../page.ts";
import type { VerdictQuery } from "./verdict-store.ts";

export const verdictsKeptMs = ({ settings }: Profile): number =>
  settings.verdict_retention_days * 86_400_000;

export const VERDICTS_FEATURE: TenantFeature = {
  name: "verdicts",
  tables: [VERDICTS],
  capability: ({ stores: { db, verdicts, persons } }) => ({
    purge: ({ profile, nowMs }) => verdicts.purge(nowMs - verdictsKeptMs(profile), PURGE_ROWS),
    expiries: [
      expiry(db.of(VERDICTS), (profile) =>
        expiresAfter(verdicts.oldestMs(), verdictsKeptMs(profile)),
      ),
    ],
    personal: [
      personalData<"verdict">({
        name: "verdicts",
        find: (person, from) => persons.verdicts(person, from),
        erase: (tx, { verdict }) => {
          forgetReusable(tx, verdict);
          verdicts.delete(verdict.id);
        },
      }),
    ],
  }),
};

export const VERDICT_OPERATIONS = {
  listVerdicts: ({ ask }: TenantContext, caller: Caller, query: VerdictQuery) =>
    ask(caller, ({ stores, nowMs }) => ({
      kind: "verdicts" as const,
      ...stores.verdicts.list(query, nowMs),
    })),

  readVerdict: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, ({ stores, nowMs, keyId }) => {
      const verdict = stores.verdicts.read(id);
      if (verdict === null) return notFound("verdict");
      const key = keyId === null ? null : stores.keys.read(keyId, nowMs);
      // Without a key the caller is the platform.
      const mayReview = keyId === null || (key !== null && key.role !== "call");
      return { kind: "verdict" as const, verdict: verdictAt(verdict, nowMs), mayReview };
    }),
};
