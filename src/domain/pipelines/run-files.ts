import { generationPrefix, type PictureOwner } from "../generation/stored-picture.ts";
import type { StepName } from "./step.ts";

// The files of a run in the bucket. They are there until the run has ended: what is to be kept is kept by
// its step `store`.

/** Before all files of a run. */
export const runFilesPrefix = (owner: PictureOwner, runId: string): string =>
  `${generationPrefix(owner)}pipelines/${runId}/`;

/** The documents of the request, one after the other. */
export const runDocumentsKey = (owner: PictureOwner, runId: string): string =>
  `${runFilesPrefix(owner, runId)}documents`;

/** What a task found in a document. */
export const stepResultsKey = (
  owner: PictureOwner,
  {
    run,
    position,
    step,
  }: { readonly run: string; readonly position: number; readonly step: StepName },
): string => `${runFilesPrefix(owner, run)}${position}/${step}.json`;
