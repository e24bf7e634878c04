// The targets. They are printed beside the results and never asserted, since a busy machine is no bug.

const at = (rows, wanted) =>
  rows?.find((row) => Object.entries(wanted).every(([name, value]) => row[name] === value));

const one = { engine: "fixed", tenants: 1 };

const least = (name, value, limit) => ({ name, value, limit, holds: value >= limit });
const most = (name, value, limit) => ({ name, value, limit, holds: value <= limit });

/** @returns the targets that have a measured figure */
export function targets({ governed, peers, journals, cost }) {
  const rows = (wanted) => at(governed, { ...one, ...wanted });
  const peer = (connections) =>
    at(peers, { peer: "portkey", call: "generation", connections })?.of_peer;
  const written = (call) => at(at(cost?.calls, { call })?.rows, { connections: 64 })?.rows_written;
  const longest = journals?.at(-1);
  const text = at(governed, { engine: "embedded", tenants: 1, connections: 64 });
  return [
    least("of the floor at 16 connections", rows({ connections: 16 })?.of_floor, 0.55),
    least("of the floor at 64 connections", rows({ connections: 64 })?.of_floor, 0.75),
    least("x naive at 64 connections", rows({ connections: 64 })?.of_naive, 3),
    least("x Portkey at 16 connections, the same chat", peer(16), 1.1),
    least("x Portkey at 64 connections, the same chat", peer(64), 1.5),
    most(
      "rows read an admission, more than with an empty journal",
      longest && longest.rows_read - journals[0].rows_read,
      0,
    ),
    most("x the median of an empty journal, at the longest", longest?.of_shortest, 1.15),
    most("rows written a moderation call at 64 connections", written("moderation"), 3.2),
    most("rows written a generation call at 64 connections", written("generation"), 2.2),
    most("ms of CPU a text call (embedded engine, 64 connections)", text?.ours.cpu_ms, 10),
  ].filter(({ value }) => value !== undefined);
}
