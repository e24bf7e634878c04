import type { ErasedCounts } from "../../../src/domain/tenant/erasure.ts";
import {
  type Archive,
  archiveKey,
  isStored,
  withoutPerson,
} from "../../../src/domain/ledger/journal-archive.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import { FileWriter, readBack, type Written } from "../../../src/io/file-writer.ts";
import { splitLines } from "../../../src/io/split-lines.ts";
import type { Transact } from "../transactions.ts";
import type { FilesOf } from "./erase-personal-files.ts";

// A person in an archived day: the file is written anew without them, under the name of its next
// revision, then its row names that one, then the old one goes. Whatever of this a crash cuts off is
// done by the repeat: it finds nobody in the new file and deletes the one before it.

interface Found {
  lines: number;
  /** Calls of which pictures may be kept. */
  readonly calls: string[];
}

/** @param erasureId to which the pictures are added that the lines lead to */
export async function eraseArchived(
  transact: Transact,
  bucket: R2Bucket,
  { of, day, erasureId }: { readonly of: FilesOf; readonly day: Day; readonly erasureId: string },
): Promise<ErasedCounts> {
  const archive = transact((tx) => tx.stores.archives.read(day));
  if (archive === null || !isStored(archive)) return {};
  const stored = await bucket.get(archiveKey(of, day, archive.revision));
  if (stored === null) throw new Error("an archived day is not in the bucket");
  const key = archiveKey(of, day, archive.revision + 1);
  const writer = new FileWriter(bucket, key);
  const found: Found = { lines: 0, calls: [] };
  try {
    await copyWithout(stored.body, writer, of.userId, found);
    if (found.lines === 0) await writer.abort();
    else await replace(await writer.close());
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const old = found.lines === 0 ? archive.revision - 1 : archive.revision;
  if (old > 0) await bucket.delete(archiveKey(of, day, old));
  return found.lines === 0 ? {} : { journal_lines: found.lines };

  async function replace(written: Written): Promise<void> {
    const back = await readBack(bucket, key);
    if (back?.sha256 !== written.sha256) throw new Error("the file is not what was written");
    transact(({ nowMs, stores }) => {
      stores.archives.write(rewritten(archive as Archive, written, found.lines, nowMs));
      for (const subject of found.calls) {
        stores.erasures.addFile(erasureId, { kind: "image_call", subject });
      }
    });
  }
}

const rewritten = (
  archive: Archive,
  { bytes, sha256 }: Written,
  lines: number,
  nowMs: number,
): Archive => ({
  ...archive,
  bytes,
  sha256,
  persons: Math.max(0, archive.persons - lines),
  revision: archive.revision + 1,
  rewrittenAtMs: nowMs,
});

async function copyWithout(
  from: ReadableStream<Uint8Array>,
  writer: FileWriter,
  userId: string,
  found: Found,
): Promise<void> {
  for await (const lines of splitLines(from)) {
    const kept = lines.map((text) => withoutPerson(text, userId));
    for (const { callId, madePictures } of kept) {
      if (callId === null) continue;
      found.lines += 1;
      if (madePictures) found.calls.push(callId);
    }
    await writer.add(kept.map(({ text }) => `${text}\n`).join(""));
  }
}
