// One line of prose with single spaces; its code spans and quotations stay as they are. Each character is
// visited a bounded number of times, for any line.

const BLANKS = " \t";
const TICKS = "`";

export function compactLine(line: string): string {
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
