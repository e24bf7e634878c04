import { expect } from "vitest";

// What the code under test prints, held against what must never be printed. Files of tests share a
// worker, so the console is watched once, and each file accounts for what it printed itself:
// `test/setup/workers.ts` asks for that after every file.

const printed: string[] = [];
const hidden = new Set<string>();

/** Shorter texts ("hi") stand in many a line by chance. */
const TELLING_LENGTH = 12;

/** This text must not be printed in this file of tests. */
export function hide(secret: unknown): void {
  if (typeof secret === "string" && secret.length >= TELLING_LENGTH) hidden.add(secret);
}

/** Names of models, routes and the like may be logged. */
const LOGGED: readonly string[] = ["model", "models", "kind", "path"];

/** Hides all strings of a body but names that may be logged. */
export function hideContent(value: unknown): void {
  if (typeof value === "string") return hide(value.slice(0, 200));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  for (const [name, inner] of Object.entries(value)) {
    if (!LOGGED.includes(name)) hideContent(inner);
  }
}

const watched = new WeakSet<object>();

/** Keeps what is printed from now on. Not a spy: `vi.restoreAllMocks` must not end it. */
export function watchConsole(): void {
  for (const level of ["debug", "error", "info", "log", "warn"] as const) {
    const print = console[level];
    if (watched.has(print)) continue;
    const keep = (...parts: unknown[]): void => {
      const line = parts.map((part) => (typeof part === "string" ? part : shown(part))).join(" ");
      printed.push(line);
      if (!isRequestLine(line)) print.apply(console, parts);
    };
    watched.add(keep);
    console[level] = keep;
  }
}

/** Of each request there is one, which would hide what a test has to say. */
const isRequestLine = (line: string): boolean => line.includes('"event":"request"');

const shown = (value: unknown): string =>
  value instanceof Error ? `${value.message} ${value.stack}` : JSON.stringify(value);

/** Nothing hidden was printed since the last call, and both lists begin anew. */
export function expectSilence(): void {
  const lines = printed.splice(0);
  const secrets = [...hidden];
  hidden.clear();
  const told = lines.filter((line) => secrets.some((secret) => line.includes(secret)));
  expect(told, "nothing secret or moderated is printed").toEqual([]);
}
