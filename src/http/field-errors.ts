import type * as v from "valibot";
import type { FieldError, RequestFailure } from "../domain/ledger/failure.ts";
import { expectation } from "./field-sentence.ts";

// The errors of a request's fields, most of them from valibot's issues. `issue.message`, `issue.received`
// and `issue.input` quote the received value, which here is user content: only types, requirements and
// paths are used.

type Issue = v.BaseIssue<unknown>;

const MAX_ERRORS = 20;

/** Keys of records are the caller's own: a key that may be content is shown as `*`. */
const PLAIN_KEY = /^@?[\w./-]{1,64}$/;

const OBJECTS: ReadonlySet<string> = new Set([
  "object",
  "strict_object",
  "loose_object",
  "object_with_rest",
]);

const pathOf = (issue: Issue): (string | number)[] =>
  (issue.path ?? []).map(({ key }) =>
    typeof key === "number" ? key : PLAIN_KEY.test(String(key)) ? String(key) : "*",
  );

/** Missing and unknown keys are issues of the object, with the key as the last step of the path. */
function detailOf(issue: Issue): string {
  const key = OBJECTS.has(issue.type) && issue.path?.at(-1)?.origin === "key";
  if (!key) return expectation(issue);
  return issue.expected === "never" ? "is not a known field" : "is required";
}

/**
 * Of a union only the option that matched deepest helps. Where a string or an array of strings is wanted,
 * the error of `["a", 1]` is that `[1]` must be a string, not that the whole must be a string or an array.
 */
function flatten(issue: Issue, parents: readonly (string | number)[]): FieldError[] {
  const path = [...parents, ...pathOf(issue)];
  const inner = (issue.issues ?? []).map((sub) => ({ sub, depth: sub.path?.length ?? 0 }));
  const deepest = Math.max(0, ...inner.map(({ depth }) => depth));
  if (deepest === 0) return [{ path, detail: detailOf(issue) }];
  return inner.filter(({ depth }) => depth === deepest).flatMap(({ sub }) => flatten(sub, path));
}

export function fieldErrors(issues: readonly Issue[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    if (errors.length >= MAX_ERRORS) break;
    errors.push(...flatten(issue, []));
  }
  return errors.slice(0, MAX_ERRORS);
}

export type InvalidRequest = Extract<RequestFailure, { kind: "invalid_request" }>;

/** The failure of a check that no schema makes: one field, and how it must be. */
export const invalid = (path: readonly (string | number)[], detail: string): InvalidRequest => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});
