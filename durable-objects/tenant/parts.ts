import type { Verdict } from "../../src/domain/verdict.ts";
import { toVerdict } from "../../src/domain/verdict-object.ts";
import type { Database } from "../database.ts";
import { Outbox } from "../outbox/outbox.ts";
import { ReportStore } from "../outbox/report-store.ts";
import { IdempotencyStore } from "./idempotency-store.ts";
import { KeyStore } from "./key-store.ts";
import { Ledger } from "./ledger.ts";
import { LedgerStore } from "./ledger-store.ts";
import type { Platform } from "./platform.ts";
import { PolicyStore } from "./policy-store.ts";
import { ProfileStore } from "./profile-store.ts";
import { RefusalCounter } from "./refusal-counter.ts";
import { RefusalStore } from "./refusal-store.ts";
import { ReplyStore } from "./reply-store.ts";
import { UserPictureStore } from "./user-picture-store.ts";
import { VerdictStore } from "./verdict-store.ts";

/** The stores of a tenant's object and the ledger over them. */
export interface Parts {
  readonly db: Database;
  readonly platform: Platform;
  readonly profiles: ProfileStore;
  readonly keys: KeyStore;
  readonly policies: PolicyStore;
  readonly journal: LedgerStore;
  readonly ledger: Ledger;
  readonly verdicts: VerdictStore;
  readonly idempotency: IdempotencyStore;
  readonly replies: ReplyStore;
  readonly refusals: RefusalCounter;
  readonly userPictures: UserPictureStore;
  readonly outbox: Outbox;
}

export function makeParts(db: Database, platform: Platform): Parts {
  const journal = new LedgerStore(db);
  const ledger = new Ledger(journal);
  const verdicts = new VerdictStore(db);
  return {
    db,
    platform,
    profiles: new ProfileStore(db),
    keys: new KeyStore(db),
    policies: new PolicyStore(db),
    journal,
    ledger,
    verdicts,
    idempotency: new IdempotencyStore(db),
    replies: new ReplyStore(db),
    refusals: new RefusalCounter(new RefusalStore(db), ledger),
    userPictures: new UserPictureStore(db),
    outbox: new Outbox(db, (_, id) => verdictObject(verdicts.read(id)), new ReportStore(db)),
  };
}

/** Every event of a tenant that names a subject names a verdict. */
const verdictObject = (verdict: Verdict | null) => (verdict === null ? null : toVerdict(verdict));
