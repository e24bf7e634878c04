import { type Line, pendingIn, type TenantRows } from "./tenant-rows.ts";

// The invariants of grants and adjustments: what lines drew on grants, and what was given back.

/** µN of grants for the day of a call: drawn by that day, and left, minus the holds of older days. */
export function grantedFor(
  rows: TenantRows,
  { day, admitted_at_ms: atMs }: Line,
  daily: number,
): number {
  const lines = rows.lines();
  const drew = lines.reduce((sum, line) => sum + (line.day === day ? line.granted : 0), 0);
  const gave = drew - rows.back(day).granted;
  const left = rows
    .grants()
    .filter((grant) => atMs < Math.min(grant.expires_at_ms, grant.ended_at_ms ?? Infinity))
    .reduce((sum, { amount, drawn }) => sum + amount - drawn, 0);
  const before = new Set(lines.map((line) => line.day).filter((each) => each < day));
  const promised = [...before].reduce((sum, each) => {
    const of = lines.filter((line) => line.day === each);
    const quota = of.reduce((total, line) => total + line.quota, 0) - rows.back(each).quota;
    const held = of.reduce((total, line) => total + pendingIn(line), 0);
    return sum + Math.max(0, held - Math.max(0, daily - quota));
  }, 0);
  return gave + Math.max(0, left - promised);
}

/** A grant's `drawn` is the sum of the lines' draws. Only calls admitted while it was open draw on it. */
export function checkDraws(rows: TenantRows): void {
  const left = new Map(rows.grants().map((grant) => [grant.id, { ...grant }]));
  for (const line of rows.lines()) {
    const draws = JSON.parse(line.grants ?? "[]") as [string, number][];
    const sum = draws.reduce((total, [, amount]) => total + amount, 0);
    if (sum !== line.granted)
      throw new Error(`${line.id}: granted ${line.granted}, of grants ${sum}`);
    for (const [id, amount] of draws) {
      const grant = left.get(id);
      if (grant === undefined) throw new Error(`${line.id}: draws on ${id}, which is not there`);
      grant.drawn -= amount;
      const ended = grant.ended_at_ms ?? Infinity;
      if (line.admitted_at_ms >= grant.expires_at_ms || line.admitted_at_ms > ended) {
        throw new Error(`${line.id}: draws on ${id}, which had ended`);
      }
    }
  }
  for (const made of rows.adjustments()) {
    for (const [id, amount] of JSON.parse(made.grants ?? "[]") as [string, number][]) {
      const grant = left.get(id);
      if (grant !== undefined) grant.drawn += amount;
    }
  }
  for (const { id, drawn } of left.values()) {
    if (drawn !== 0) throw new Error(`${id}: ${drawn} µN are drawn and on no line`);
  }
}

/** No line gives back more of a part than it was charged, and overage is given back first. */
export function checkAdjustments(rows: TenantRows): void {
  const lines = rows.lines();
  for (const [id, made] of Map.groupBy(rows.adjustments(), ({ adjusts }) => adjusts)) {
    const line = lines.find((each) => each.id === id);
    if (line === undefined || line.outcome === "pending") throw new Error(`${id}: adjusted`);
    // In the reverse order of the draws.
    let isLeft = false;
    for (const part of ["overage", "granted", "quota"] as const) {
      const back = made.reduce((sum, each) => sum + each[part], 0);
      if (back > line[part]) throw new Error(`${id}: ${back} of ${line[part]} ${part} given back`);
      if (back > 0 && isLeft) throw new Error(`${id}: ${part} given back before what came after`);
      isLeft ||= back < line[part];
    }
  }
}
