import type {
  DocumentState,
  DocumentType,
  StoredDocument,
} from "../../../src/domain/documents/document.ts";
import type { TaskReport } from "../../../src/domain/documents/task.ts";
import type { CallId } from "../../../src/domain/ledger/ledger.ts";
import type { Database } from "../../database.ts";

type DocumentRow = {
  id: string;
  file: string;
  state: string;
  type: string;
  user_id: string | null;
  content_type: string;
  language: string | null;
  bytes: number;
  characters: number;
  hidden_passages: number;
  created_at_ms: number;
  expires_at_ms: number;
  tasks: string;
};

/** Files of a document that are to be erased. */
export interface DueFile {
  readonly file: CallId;
  readonly documentId: string;
}

export interface DocumentFilter {
  readonly type: DocumentType | null;
  readonly userId: string | null;
}

export class DocumentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  insert(document: StoredDocument): void {
    this.#db.run(
      `INSERT INTO documents (id, file, state, type, user_id, content_type, language, bytes,
        characters, hidden_passages, created_at_ms, expires_at_ms, tasks)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      document.id,
      document.file,
      document.state,
      document.type,
      document.userId,
      document.contentType,
      document.language,
      document.bytes,
      document.characters,
      document.hiddenPassages,
      document.createdAtMs,
      document.expiresAtMs,
      JSON.stringify(document.tasks),
    );
  }

  read(id: string): StoredDocument | null {
    const [row] = this.#db.run<DocumentRow>("SELECT * FROM documents WHERE id = ?", id);
    return row === undefined ? null : toDocument(row);
  }

  readByFile(file: CallId): StoredDocument | null {
    const [row] = this.#db.run<DocumentRow>("SELECT * FROM documents WHERE file = ?", file);
    return row === undefined ? null : toDocument(row);
  }

  /** Its call has ended: the files are named by the document from now on. */
  finish(file: CallId, tasks: readonly TaskReport[]): void {
    this.#db.run(
      "UPDATE documents SET state = 'ready', tasks = ? WHERE file = ?",
      JSON.stringify(tasks),
      file,
    );
    this.#db.run("DELETE FROM document_files WHERE file = ?", file);
  }

  /** Deletes the row alone. */
  delete(id: string): void {
    this.#db.run("DELETE FROM documents WHERE id = ?", id);
  }

  /** The newest first, before a file; one more than the limit if there are more. */
  list(before: string, { type, userId }: DocumentFilter, limit: number): StoredDocument[] {
    const wheres = ["file < ?"];
    const values: (string | number)[] = [before];
    if (type !== null) {
      wheres.push("type = ?");
      values.push(type);
    }
    if (userId !== null) {
      wheres.push("user_id = ?");
      values.push(userId);
    }
    return this.#db
      .run<DocumentRow>(
        `SELECT * FROM documents WHERE ${wheres.join(" AND ")} ORDER BY file DESC LIMIT ?`,
        ...values,
        limit + 1,
      )
      .map(toDocument);
  }

  /** Of one person, the oldest first, after a file. */
  ofPerson(userId: string, after: string, limit: number): StoredDocument[] {
    return this.#db
      .run<DocumentRow>(
        "SELECT * FROM documents WHERE user_id = ? AND file > ? ORDER BY file LIMIT ?",
        userId,
        after,
        limit,
      )
      .map(toDocument);
  }

  listExpired(nowMs: number, limit: number): StoredDocument[] {
    return this.#db
      .run<DocumentRow>("SELECT * FROM documents WHERE expires_at_ms <= ? LIMIT ?", nowMs, limit)
      .map(toDocument);
  }

  /** The files are erased at that time, unless the document is finished before. */
  expectFiles({ file, documentId }: DueFile, eraseAtMs: number): void {
    this.#db.run(
      "INSERT OR REPLACE INTO document_files (file, document_id, erase_at_ms) VALUES (?, ?, ?)",
      file,
      documentId,
      eraseAtMs,
    );
  }

  listDueFiles(nowMs: number, limit: number): DueFile[] {
    return this.#db
      .run<{ file: string; document_id: string }>(
        `SELECT file, document_id FROM document_files WHERE erase_at_ms <= ?
          ORDER BY erase_at_ms LIMIT ?`,
        nowMs,
        limit,
      )
      .map(({ file, document_id: documentId }) => ({ file, documentId }));
  }

  /** Its files are gone; a document that was never finished goes with them. */
  removeFiles(file: CallId): void {
    this.#db.run("DELETE FROM document_files WHERE file = ?", file);
    this.#db.run("DELETE FROM documents WHERE file = ? AND state = 'processing'", file);
  }

  /** When the first document expires, or the first files are to be erased; null: nothing is. */
  dueMs(): number | null {
    const [document] = this.#db.run<{ due: number | null }>(
      "SELECT MIN(expires_at_ms) AS due FROM documents",
    );
    const [file] = this.#db.run<{ due: number | null }>(
      "SELECT MIN(erase_at_ms) AS due FROM document_files",
    );
    const due = [document?.due, file?.due].filter((one) => typeof one === "number");
    return due.length === 0 ? null : Math.min(...due);
  }
}

const toDocument = (row: DocumentRow): StoredDocument => ({
  id: row.id,
  file: row.file,
  state: row.state as DocumentState,
  type: row.type as DocumentType,
  userId: row.user_id,
  contentType: row.content_type,
  language: row.language,
  bytes: row.bytes,
  characters: row.characters,
  hiddenPassages: row.hidden_passages,
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms,
  tasks: JSON.parse(row.tasks) as TaskReport[],
});
