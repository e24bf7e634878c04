import {
  DOCUMENT_ROUTE,
  documentKeys,
  type NewDocument,
  storedDocument,
  type StoredDocument,
} from "../../../src/domain/documents/document.ts";
import type { TaskReport } from "../../../src/domain/documents/task.ts";
import type { LookupFailure } from "../../../src/domain/ledger/failure.ts";
import type { CallId, Hold } from "../../../src/domain/ledger/ledger.ts";
import type { PictureOwner } from "../../../src/domain/generation/stored-picture.ts";
import { PURGE_ROWS, type TenantContext, type TenantFeature } from "../feature.ts";
import { notFound, type Page, pageOf } from "../page.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Profile } from "../profile-store.ts";
import { releaseVectors } from "../search/vector-sets.ts";
import { countWork } from "../usage/fold-usage.ts";
import type { Caller } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { DOCUMENTS } from "./document-schema.ts";
import type { DocumentFilter, DueFile } from "./document-store.ts";

// Documents of a tenant. A row is written before the first of its files can be in the bucket, so that a
// call that dies leaves nothing for ever.

/** In one alarm: a bucket deletes a thousand files at once, and each document has two. */
const MOST_ERASED = 100;

/** After a bucket that failed. */
const FILES_RETRY_MS = 10_000;

/** A call may still write for so long after its hold's end; an erasure waits as long. */
const LATE_WRITES_MS = 90_000;

/** Rows on a page of a person's documents. */
const PERSON_PAGE = 200;

export const DOCUMENTS_FEATURE: TenantFeature = {
  name: "documents",
  tables: [DOCUMENTS],
  capability: (context) => {
    const { db, documents } = context.stores;
    return {
      purge: (tx) => expire(tx),
      dueMs: () => documents.dueMs() ?? Infinity,
      dueRows: db.of(DOCUMENTS),
      isDueByRows: true,
      tend: (profile) => eraseFiles(context, profile),
      personal: [
        personalData<"document">({
          name: "documents",
          find: (person, from) => {
            const found = documents.ofPerson(person, from, PERSON_PAGE);
            const next = found.length < PERSON_PAGE ? null : (found.at(-1)?.file ?? null);
            return { records: found.map((document) => ({ kind: "document", document })), next };
          },
          erase: (tx, { document }) => deleteNow(tx, document),
          files: ({ document }) => [{ kind: "document", subject: document.file }],
        }),
      ],
    };
  },
};

const ID_IN_USE = {
  kind: "invalid_request",
  errors: [{ path: ["id"], detail: "is the id of another document: delete that one first" }],
} as const;

/** Before anything is held. Null: the id is free. */
export const takenId = ({ stores }: Tx, { id }: Pick<NewDocument, "id">): typeof ID_IN_USE | null =>
  stores.documents.read(id) === null ? null : ID_IN_USE;

/** With the hold of the call that makes it. */
export function beginDocument(
  { stores: { documents } }: Tx,
  document: NewDocument,
  hold: Hold,
): void {
  const { callId: file, deadlineMs } = hold;
  documents.insert({ ...storedDocument(document, hold, []), state: "processing" });
  documents.expectFiles({ file, documentId: document.id }, deadlineMs + LATE_WRITES_MS);
}

/**
 * With the line of the call. A document that was erased meanwhile stays erased, and its files go as
 * expected.
 *
 * @param route of the call: documents of a pipeline's run are counted with the run
 * @param tasks null: the call failed, and its id is free again at once
 * @returns false: it was deleted meanwhile
 */
export function endDocument(
  tx: Tx,
  { file, route }: { readonly file: CallId; readonly route: string | null },
  tasks: readonly TaskReport[] | null,
): boolean {
  const { documents } = tx.stores;
  const document = documents.readByFile(file);
  if (document?.state !== "processing") return document !== null;
  if (tasks === null) documents.delete(document.id);
  else {
    documents.finish(file, tasks);
    if (route === DOCUMENT_ROUTE) countWork(tx, { documents: 1 });
  }
  return true;
}

/** It is gone for every reader at once, with kept replies that may quote it; the alarm erases its files. */
function deleteNow(tx: Tx, { id, file, state }: StoredDocument): void {
  const {
    stores: { documents, replies },
    nowMs,
  } = tx;
  documents.delete(id);
  releaseVectors(tx, id);
  replies.deleteQuoting(id);
  // The call in progress may still write: its files stay due after its end.
  if (state === "ready") documents.expectFiles({ file, documentId: id }, nowMs);
}

/** @returns true: there is more */
function expire(tx: Tx): boolean {
  const expired = tx.stores.documents.listExpired(tx.nowMs, PURGE_ROWS);
  for (const document of expired) deleteNow(tx, document);
  return expired.length === PURGE_ROWS;
}

/** @returns true: there is more to erase */
async function eraseFiles(context: TenantContext, profile: Profile): Promise<boolean> {
  const { stores, outside, transact, wallMs } = context;
  const due = stores.documents.listDueFiles(wallMs(), MOST_ERASED);
  if (due.length === 0) return false;
  const erased = await eraseFrom(outside.bucket(), ownerOf(profile), due);
  transact(({ stores: { documents }, nowMs }) => {
    for (const one of due) {
      if (erased) documents.removeFiles(one.file);
      else documents.expectFiles(one, nowMs + FILES_RETRY_MS);
    }
  });
  return erased && due.length === MOST_ERASED;
}

/** Without a bucket there are none. False: the bucket failed. */
async function eraseFrom(
  bucket: R2Bucket | null,
  owner: PictureOwner,
  due: readonly DueFile[],
): Promise<boolean> {
  try {
    await bucket?.delete(due.flatMap(({ file }) => documentKeys(owner, file)));
    return true;
  } catch {
    return false;
  }
}

const NO_DOCUMENT: Extract<LookupFailure, { kind: "not_found" }> = notFound("document");

export type DocumentFound =
  | {
      readonly kind: "document";
      readonly document: StoredDocument;
      /** Under which its files are. */
      readonly owner: PictureOwner;
    }
  | Extract<LookupFailure, { kind: "not_found" }>;

export const DOCUMENT_OPERATIONS = {
  readDocument: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, ({ stores, profile, nowMs }): DocumentFound => {
      const document = stores.documents.read(id);
      if (document === null || document.expiresAtMs <= nowMs) return NO_DOCUMENT;
      return { kind: "document", document, owner: ownerOf(profile) };
    }),

  listDocuments: (
    { ask }: TenantContext,
    caller: Caller,
    query: { readonly before: string; readonly filter: DocumentFilter; readonly limit: number },
  ) =>
    ask(caller, ({ stores }): Page<StoredDocument> => {
      const { before, filter, limit } = query;
      return pageOf(stores.documents.list(before, filter, limit), limit);
    }),

  deleteDocument: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx): { readonly kind: "deleted" } | typeof NO_DOCUMENT => {
      const document = tx.stores.documents.read(id);
      if (document === null) return NO_DOCUMENT;
      deleteNow(tx, document);
      return { kind: "deleted" };
    }),
};
