import { generationPrefix, type PictureOwner } from "../generation/stored-picture.ts";
import type { CallId, Hold } from "../ledger/ledger.ts";
import type { TaskReport } from "./task.ts";

// A document as it is stored: a row in the tenant's object, and two files in the bucket. The row has no
// content.

/** The route that stores a document, in its journal line. */
export const DOCUMENT_ROUTE = "POST /v1/documents";

/** The route that makes one searchable. */
export const EMBED_ROUTE = "POST /v1/documents/{id}/embed";

/** `doc_` and up to 60 letters, digits, hyphens or underscores. Ours are `doc_` and a ULID. */
export type DocumentId = string;

export const DOCUMENT_ID = /^doc_[\w-]{1,60}$/;

export const DOCUMENT_TYPES = ["email", "report", "article", "contract", "other"] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

/**
 * `processing`: its call is in progress, or was cut off; then it goes in a few minutes. `ready`: its text is
 * in the bucket.
 */
export type DocumentState = "processing" | "ready";

export interface StoredDocument {
  readonly id: DocumentId;
  /**
   * The call that made it. It names the files and gives the order of lists. An id may be used again once its
   * document is deleted; this is unique.
   */
  readonly file: CallId;
  readonly state: DocumentState;
  readonly type: DocumentType;
  readonly userId: string | null;
  /** The media type as it was sent. What is stored is text. */
  readonly contentType: string;
  /** ISO 639-1, as the caller gave it, else as it was found for the tasks; null: not known. */
  readonly language: string | null;
  /** Of the stored text, in UTF-8. */
  readonly bytes: number;
  /** Of the stored text, in UTF-16 units, as positions in it count. */
  readonly characters: number;
  /** Passages that speak to a model instead of to people: no model was shown them. */
  readonly hiddenPassages: number;
  readonly createdAtMs: number;
  /** When it is deleted with its files. */
  readonly expiresAtMs: number;
  /** How each task ended; their results are in the bucket. */
  readonly tasks: readonly TaskReport[];
}

/** What an admission is given of a document that is to be stored. */
export type NewDocument = Pick<
  StoredDocument,
  "id" | "type" | "contentType" | "language" | "bytes" | "characters" | "hiddenPassages"
> & { readonly retentionDays: number };

const DAY_MS = 86_400_000;

/** As it is stored when its call has ended. */
export const storedDocument = (
  { retentionDays, ...fields }: NewDocument,
  { callId: file, userId, admittedAtMs }: Pick<Hold, "callId" | "userId" | "admittedAtMs">,
  tasks: readonly TaskReport[],
): StoredDocument => ({
  ...fields,
  file,
  state: "ready",
  userId,
  createdAtMs: admittedAtMs,
  expiresAtMs: admittedAtMs + retentionDays * DAY_MS,
  tasks,
});

export const DEFAULT_RETENTION_DAYS = 30;
export const MAX_RETENTION_DAYS = 3650;

/** UTF-8 bytes of the text of a document. A page of a report has about 3,000. */
export const MAX_TEXT_BYTES = 1_048_576;

const documentKey = (owner: PictureOwner, file: CallId): string =>
  `${generationPrefix(owner)}documents/${file}`;

/** The text, in UTF-8. */
export const textKey = (owner: PictureOwner, file: CallId): string =>
  `${documentKey(owner, file)}/text`;

/** The results of its tasks, in JSON. */
export const resultsKey = (owner: PictureOwner, file: CallId): string =>
  `${documentKey(owner, file)}/results.json`;

/** All that the bucket has of a document. */
export const documentKeys = (owner: PictureOwner, file: CallId): readonly string[] => [
  textKey(owner, file),
  resultsKey(owner, file),
];

/** A NUL would end the text in some stores; half a character cannot be stored at all. */
export const storableText = (text: string): string => text.toWellFormed().replaceAll("\0", " ");

/** Whether there is something to read: more than blanks. */
export const hasText = (text: string): boolean => storableText(text).trim() !== "";
