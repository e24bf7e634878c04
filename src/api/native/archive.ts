import * as v from "valibot";
import type { Archive } from "../../domain/ledger/journal-archive.ts";
import { toNeurons, microNeurons } from "../../domain/ledger/micro-neurons.ts";
import { formatDay, isoTime } from "../../domain/ledger/period.ts";
import { microNeuronsOut, time, wholeNumber } from "../field.ts";

// Archived days of the journal on the wire.

const count = (description: string) => wholeNumber(0, Number.MAX_SAFE_INTEGER, description);

export const ArchiveOutput = v.object({
  object: v.literal("journal_archive"),
  day: v.string(),
  lines: count("In the file."),
  micro_neurons: microNeuronsOut("The sum of the lines: what the day posted."),
  neurons: v.number(),
  bytes: count("Of the file."),
  sha256: v.pipe(v.string(), v.description("Of the file's bytes, hex.")),
  revision: v.pipe(
    v.number(),
    v.description("1, and one more for each time that a person was erased from it."),
  ),
  created_at: time("When it was made."),
  rewritten_at: v.nullable(time("When a person was last erased from it.")),
});

export const toArchive = (archive: Archive): v.InferOutput<typeof ArchiveOutput> => ({
  object: "journal_archive",
  day: formatDay(archive.day),
  lines: archive.lines,
  micro_neurons: archive.microNeurons,
  neurons: toNeurons(microNeurons(archive.microNeurons)),
  bytes: archive.bytes,
  sha256: archive.sha256,
  revision: archive.revision,
  created_at: isoTime(archive.madeAtMs),
  rewritten_at: archive.rewrittenAtMs === null ? null : isoTime(archive.rewrittenAtMs),
});
