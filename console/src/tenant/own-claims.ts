import { api, session } from "../api/session.ts";
import { RequestFailed } from "../api/problem.ts";
import type { List, Verdict } from "../api/shapes.ts";

export const CLAIMED_AT_ONCE = 10;

/**
 * The verdicts that the signed-in person has claimed before. Each claim is extended by a quarter of an
 * hour, so that a person who left or reloaded the page need not wait. A key does not know its own id, so
 * we try to claim each verdict; the server refuses those that another key has claimed.
 */
export async function ownClaims(path: string, signal: AbortSignal): Promise<readonly Verdict[]> {
  const query = { review: "claimed", limit: 50 };
  const claimed = await api.get<List<Verdict>>(path, query, { signal });
  const platform = session()?.kind === "platform";
  const perhaps = claimed.data
    .filter(({ review }) => (review.key_id === null) === platform)
    .slice(0, CLAIMED_AT_ONCE);
  const own = await Promise.all(
    perhaps.map(({ id }) =>
      api
        .send<Verdict>("POST", `${path}/${encodeURIComponent(id)}/review`, { state: "claimed" })
        .catch((error: unknown) => {
          if (error instanceof RequestFailed && error.problem.kind === "review_conflict")
            return null;
          throw error;
        }),
    ),
  );
  return own.filter((verdict) => verdict !== null).toReversed();
}

/** How many verdicts wait for review: a number, or "200 or more". */
export async function countOpen(path: string, signal: AbortSignal): Promise<string> {
  const open = await api.get<List<Verdict>>(path, { review: "open", limit: 200 }, { signal });
  return `${open.data.length}${open.has_more ? " or more" : ""}`;
}
