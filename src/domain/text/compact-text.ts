// A prompt with fewer blanks, for callers that ask for it: models read every space, and few have a
// meaning. Blanks that may have one stay:
//
// - code: blocks between fences, lines indented by a tab or four spaces, spans between backticks
// - text between double quotes on one line, and so the strings of JSON
// - the indentation of every line, which lists, YAML and verses depend on
// - blanks other than space, tab and line end (a no-break space was put there on purpose)
//
// Removed are: all but one space of a run of spaces and tabs within a line; spaces, tabs and the carriage
// return at the end of a line; all but one of several empty lines; and empty lines at both ends of the text.

/** An opening or closing fence: up to three spaces, then at least three of one character. */
const FENCE = /^ {0,3}(`{3,}|~{3,})([^]*)$/;

const INDENTED = /^(?: {4}| {0,3}\t)/;
const BLANK = /^[ \t\r]*$/;

/** Matches any text with something to remove: most texts need only this test. */
const COMPACTABLE = /[ \t][ \t\r\n]|\t|\r|\n\n\n|^\n|[ \n]$/;

type Line = { readonly text: string; readonly kind: "code" | "indented" | "blank" | "prose" };

/** A text with more lines stays as it is: all lines are in memory at once. */
const MAX_LINES = 100_000;

export function compactText(text: string): string {
  if (!COMPACTABLE.test(text) || hasMoreLines(text, MAX_LINES)) return text;
  const lines = linesOf(text);
  const kept: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (line === undefined) break;
    if (line.kind !== "blank") {
      kept.push(line.kind === "prose" ? compactLine(line.text) : line.text);
      continue;
    }
    let end = at;
    while (lines[end]?.kind === "blank") end += 1;
    kept.push(...blankRun(lines, at, end));
    at = end - 1;
  }
  return kept.join("\n");
}

function hasMoreLines(text: string, most: number): boolean {
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1 && lines <= most; at = text.indexOf("\n", at + 1)) {
    lines += 1;
  }
  return lines > most;
}

function linesOf(text: string): readonly Line[] {
  let fence: string | null = null;
  return text.split("\n").map((line): Line => {
    const [, mark = null, rest = ""] = FENCE.exec(line) ?? [];
    if (fence !== null) {
      if (mark !== null && closes(mark, rest, fence)) fence = null;
      return { text: line, kind: "code" };
    }
    if (mark !== null && opens(mark, rest)) {
      fence = mark;
      return { text: line, kind: "code" };
    }
    if (BLANK.test(line)) return { text: line, kind: "blank" };
    return { text: line, kind: INDENTED.test(line) ? "indented" : "prose" };
  });
}

/** A fence of backticks has no further backtick on its line: that would be a span. */
const opens = (mark: string, rest: string): boolean =>
  !(mark.startsWith("`") && rest.includes("`"));

const closes = (mark: string, rest: string, fence: string): boolean =>
  mark[0] === fence[0] && mark.length >= fence.length && BLANK.test(rest);

/** Empty lines between two indented lines belong to that code. */
function blankRun(lines: readonly Line[], from: number, to: number): readonly string[] {
  const [before, after] = [lines[from - 1], lines[to]];
  if (before === undefined || after === undefined) return [];
  if (before.kind === "indented" && after.kind === "indented") {
    return lines.slice(from, to).map(({ text }) => text);
  }
  return [""];
}

// One line of prose with single spaces; its code spans and quotations stay as they are. Each character is
// visited a bounded number of times, for any line.

const BLANKS = " \t";
const TICKS = "`";

function compactLine(line: string): string {
  const text = line.slice(0, lengthWithoutEnd(line));
  const indent = /^[ \t]*/.exec(text)?.[0].length ?? 0;
  const closing = closingTicks(text);
  // The kept text is copied in the longest possible parts: a line may be as long as a body.
  let out = "";
  let kept = 0;
  // After a quote without a partner, all further quotes of the line are plain characters.
  let quotes = true;
  for (let at = indent; at < text.length;) {
    const char = text.charAt(at);
    if (char === " " || char === "\t") {
      const end = endOf(BLANKS, text, at);
      if (char !== " " || end > at + 1) {
        out += `${text.slice(kept, at)} `;
        kept = end;
      }
      at = end;
    } else if (char === "`") {
      const end = endOf(TICKS, text, at);
      at = closing(end - at, end) ?? end;
    } else if (char === '"') {
      const end: number | null = quotes ? closingQuote(text, at) : null;
      quotes &&= end !== null;
      at = end ?? at + 1;
    } else {
      at += 1;
    }
  }
  return out + text.slice(kept);
}

/** A loop, since a pattern that ends in `$` starts again at every blank of the line. */
function lengthWithoutEnd(line: string): number {
  let length = line.length;
  while (length > 0 && " \t\r".includes(line.charAt(length - 1))) length -= 1;
  return length;
}

/** The end of the run of these characters that begins at `at`. */
function endOf(characters: string, text: string, at: number): number {
  let end = at;
  while (end < text.length && characters.includes(text.charAt(end))) end += 1;
  return end;
}

/**
 * The place after the quote that closes the one at `open`, or null; a backslash escapes the next character.
 */
function closingQuote(text: string, open: number): number | null {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return null;
}

/** Finds the end of the next run of exactly as many backticks: CommonMark's code span. */
function closingTicks(text: string): (length: number, from: number) => number | null {
  const runs = new Map<number, { readonly starts: number[]; next: number }>();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    const known = runs.get(run.length);
    if (known === undefined) runs.set(run.length, { starts: [index], next: 0 });
    else known.starts.push(index);
  }
  return (length, from) => {
    const found = runs.get(length);
    if (found === undefined) return null;
    // Called from left to right, so that passed runs are never visited again.
    while ((found.starts[found.next] ?? Infinity) < from) found.next += 1;
    const start = found.starts[found.next];
    return start === undefined ? null : start + length;
  };
}
