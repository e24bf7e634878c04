/** The present UTC month, such as `2026-11`, and the months before it. */
export function lastMonths(nowMs: number, howMany: number): string[] {
  const now = new Date(nowMs);
  return Array.from({ length: howMany }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
}
