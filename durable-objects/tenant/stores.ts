import { AdjustmentStore } from "./ledger/adjustment-store.ts";
import { ArchiveStore } from "./ledger/archive-store.ts";
import { AccountBudget } from "./account/account-budget.ts";
import { BatchStore } from "./batches/batch-store.ts";
import { ContentFileStore, ContentStore } from "./verdicts/content-store.ts";
import { DOCUMENTS } from "./documents/document-schema.ts";
import { DocumentStore } from "./documents/document-store.ts";
import { PIPELINES } from "./pipelines/pipeline-schema.ts";
import { PipelineStore } from "./pipelines/pipeline-store.ts";
import { toRun } from "../../src/domain/pipelines/run.ts";
import { toBatch } from "../../src/domain/moderation/batch.ts";
import { verdictAt } from "../../src/domain/moderation/review.ts";
import { toVerdict } from "../../src/domain/moderation/verdict.ts";
import { Outbox, type ReadSubject } from "../outbox/outbox.ts";
import { NOTICES, WEBHOOKS } from "../outbox/outbox-schema.ts";
import { PlatformEventStore } from "../outbox/platform-event-store.ts";
import { DailyNoticeStore } from "../outbox/daily-notice-store.ts";
import { SESSIONS } from "./sessions/session-schema.ts";
import { ListedSessionStore } from "./sessions/listed-session-store.ts";
import { StagedDatabase } from "../database.ts";
import { BATCHES } from "./batches/batch-schema.ts";
import { IDEMPOTENCY, REFUSALS, USER_PICTURES } from "./calls/call-schema.ts";
import { DRIFT } from "./drift/drift-schema.ts";
import { DriftStore } from "./drift/drift-store.ts";
import { SUGGESTIONS } from "./examples/suggestion-schema.ts";
import { SuggestionStore } from "./examples/suggestion-store.ts";
import { ERASURES } from "./privacy/erasure-schema.ts";
import { GRANTS } from "./ledger/grant-schema.ts";
import { CONTENTS } from "./verdicts/people-schema.ts";
import { schemaOf } from "./features.ts";
import type { TenantHost } from "./tenant-node.ts";
import { ErasureStore } from "./privacy/erasure-store.ts";
import { GrantStore } from "./ledger/grant-store.ts";
import { IdempotencyStore } from "./calls/idempotency-store.ts";
import { FeedStore } from "./usage/feed-store.ts";
import { KeyStore } from "./keys/key-store.ts";
import { Ledger } from "./ledger/ledger.ts";
import { LeaseStore } from "./account/lease-store.ts";
import { LedgerStore } from "./ledger/ledger-store.ts";
import { PersonStore } from "./privacy/person-store.ts";
import type { Platform } from "../../src/domain/tenant/platform.ts";
import { PICTURE_VARIANTS } from "./picture-variants/variant-schema.ts";
import { VariantStore } from "./picture-variants/variant-store.ts";
import { PolicyStore } from "./policies/policy-store.ts";
import { ProfileStore } from "./profile-store.ts";
import { RefusalCounter } from "./ledger/refusals.ts";
import { RefusalStore } from "./ledger/refusal-store.ts";
import { ReplyStore } from "./calls/reply-store.ts";
import { ReportRowStore } from "./usage/usage-row-store.ts";
import { RESPONSES } from "./responses/response-schema.ts";
import { ResponseStore } from "./responses/response-store.ts";
import { RevisionStore } from "./verdicts/revision-store.ts";
import { REUSE } from "./verdicts/reuse-schema.ts";
import { ReuseStore } from "./verdicts/reuse-store.ts";
import { SplitStore } from "./usage-splits/split-store.ts";
import { SEARCH } from "./search/search-schema.ts";
import { VectorSetStore } from "./search/vector-set-store.ts";
import { UserPictureStore } from "./calls/user-picture-store.ts";
import { VerdictStore } from "./verdicts/verdict-store.ts";

/** The stores of a tenant's object and the ledger over them. */
export interface TenantStores {
  readonly db: StagedDatabase;
  readonly platform: Platform;
  readonly profiles: ProfileStore;
  readonly keys: KeyStore;
  readonly policies: PolicyStore;
  readonly journal: LedgerStore;
  readonly grants: GrantStore;
  readonly adjustments: AdjustmentStore;
  readonly archives: ArchiveStore;
  readonly ledger: Ledger;
  readonly budget: AccountBudget;
  readonly verdicts: VerdictStore;
  readonly reusable: ReuseStore;
  readonly drift: DriftStore;
  readonly suggestions: SuggestionStore;
  readonly idempotency: IdempotencyStore;
  readonly replies: ReplyStore;
  readonly refusals: RefusalCounter;
  readonly userPictures: UserPictureStore;
  readonly variants: VariantStore;
  readonly outbox: Outbox;
  readonly revisions: RevisionStore;
  readonly contents: ContentStore;
  readonly contentFiles: ContentFileStore;
  readonly responses: ResponseStore;
  readonly documents: DocumentStore;
  readonly batches: BatchStore;
  readonly sessions: ListedSessionStore;
  readonly pipelines: PipelineStore;
  readonly persons: PersonStore;
  readonly erasures: ErasureStore;
  readonly feed: FeedStore;
  readonly reportRows: ReportRowStore;
  readonly splits: SplitStore;
  readonly vectorSets: VectorSetStore;
}

/** Each store is of one feature, whose tables its first row makes; those that join several say which. */
export function openStores({
  database,
  platform,
  features,
  wallMs,
}: Pick<TenantHost, "database" | "platform" | "features" | "wallMs">): TenantStores {
  const db = new StagedDatabase(database, schemaOf(features));
  const journal = new LedgerStore(db);
  const grants = new GrantStore(db.of(GRANTS));
  const budget = new AccountBudget(new LeaseStore(db), platform.workersPlan === "free");
  const ledger = new Ledger(journal, grants, budget);
  const verdicts = new VerdictStore(db);
  const batches = new BatchStore(db.of(BATCHES));
  const pipelines = new PipelineStore(db.of(PIPELINES));
  /** As its GET returns it now; null: it is gone. */
  const readSubject: ReadSubject = (_, id) => {
    if (id.startsWith("bat_")) {
      const batch = batches.read(id);
      return batch === null ? null : toBatch(batch);
    }
    if (id.startsWith("run_")) {
      const run = pipelines.read(id);
      return run === null ? null : toRun(run);
    }
    const verdict = verdicts.read(id);
    return verdict === null ? null : toVerdict(verdictAt(verdict, wallMs()));
  };
  return {
    db,
    platform,
    profiles: new ProfileStore(db),
    keys: new KeyStore(db),
    policies: new PolicyStore(db),
    journal,
    grants,
    adjustments: new AdjustmentStore(db),
    archives: new ArchiveStore(db),
    ledger,
    budget,
    verdicts,
    reusable: new ReuseStore(db.of(REUSE)),
    drift: new DriftStore(db.of(DRIFT)),
    suggestions: new SuggestionStore(db.of(SUGGESTIONS)),
    idempotency: new IdempotencyStore(db.of(IDEMPOTENCY)),
    replies: new ReplyStore(db),
    refusals: new RefusalCounter(new RefusalStore(db.of(REFUSALS)), ledger),
    userPictures: new UserPictureStore(db.of(USER_PICTURES)),
    variants: new VariantStore(db.of(PICTURE_VARIANTS)),
    outbox: new Outbox(
      db.of(WEBHOOKS),
      readSubject,
      new PlatformEventStore(db.of(NOTICES)),
      new DailyNoticeStore(db.of(NOTICES)),
    ),
    revisions: new RevisionStore(db),
    contents: new ContentStore(db),
    contentFiles: new ContentFileStore(db.of(CONTENTS)),
    responses: new ResponseStore(db.of(RESPONSES)),
    documents: new DocumentStore(db.of(DOCUMENTS)),
    batches,
    sessions: new ListedSessionStore(db.of(SESSIONS)),
    pipelines,
    persons: new PersonStore(db),
    erasures: new ErasureStore(db.of(ERASURES)),
    feed: new FeedStore(db),
    reportRows: new ReportRowStore(db),
    splits: new SplitStore(db),
    vectorSets: new VectorSetStore(db.of(SEARCH)),
  };
}
