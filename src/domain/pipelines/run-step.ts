import type { Decision } from "../moderation/verdict.ts";
import type { OVER, Stop, Wait } from "../runs/run.ts";
import type { PipelineRun, RunDocument } from "./run.ts";

// What the Workflow of a run and the tenant's object say to each other: before each step of a document, and
// after it; a report may begin the next step. Every message can be repeated.

/** The work of an instance. */
export type SliceWork =
  | typeof OVER
  | {
      readonly kind: "slice";
      /** Documents without an outcome yet. */
      readonly positions: readonly number[];
      readonly steps: PipelineRun["steps"];
      /** Documents at once. */
      readonly most: number;
    };

export interface StepPlace {
  readonly id: string;
  readonly position: number;
  /** Its place in the run's list of steps. */
  readonly step: number;
}

export type PipelineWork =
  | typeof OVER
  /** The step was done before, or has failed and the document goes on. */
  | { readonly kind: "done" }
  /** The document failed. */
  | { readonly kind: "ended" }
  | Wait
  | BegunStep;

export interface BegunStep {
  readonly kind: "run";
  readonly run: PipelineRun;
  readonly document: RunDocument;
  /** Where it begins in the file of the run's documents. */
  readonly from: number;
  readonly roundAtMs: number;
}

/** How a step's call ended. */
export type StepOutcome =
  | {
      readonly kind: "succeeded";
      readonly microNeurons: number;
      readonly decision?: Decision;
    }
  /**
   * `again`: another try may succeed. `documentGoesOn`: when no other try does, the document's later steps
   * run all the same; absent: they do not.
   */
  | {
      readonly kind: "failed";
      readonly as: string;
      readonly microNeurons: number;
      readonly again: boolean;
      /** How long the engine asks to wait before that; absent: it does not say. */
      readonly waitMs?: number;
      readonly documentGoesOn?: true;
      readonly decision?: Decision;
    }
  /** A refusal that passes. */
  | Wait
  | Stop;

/** What the run does next with the document. */
export type NextStep =
  | typeof OVER
  /** `begun`: the next step, where the report asked for it. */
  | { readonly kind: "next"; readonly begun?: BegunStep }
  | { readonly kind: "ended" }
  /** The step throws, so that the Workflow tries it again after its growing wait. */
  | { readonly kind: "retry"; readonly as: string }
  | Wait;
