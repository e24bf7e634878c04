// HTML that is made here. Text becomes markup in one place, which escapes it: the name of a tenant, a user
// or a model can contain anything.

declare const markup: unique symbol;

/** Markup that is safe in a page: made by `html`, which escapes every text. */
export interface Markup {
  readonly [markup]: true;
  readonly text: string;
}

type Part = Markup | readonly Markup[] | string | number | null;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");

const written = (part: Part): string => {
  if (part === null) return "";
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return "text" in part ? part.text : part.map(({ text }) => text).join("");
};

/** Write attributes in double quotes: escaped text cannot leave them. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  ({
    text: strings.map((text, at) => text + written(parts[at] ?? null)).join(""),
  }) as Markup;

/**
 * A page that loads nothing, runs nothing, sends nothing and cannot be framed; a nonce of this reply allows
 * its one style sheet.
 */
export function htmlPage(
  title: string,
  { style, body, nonce }: { readonly style: string; readonly body: Markup; readonly nonce: string },
): Response {
  const sheet = { text: style } as Markup;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style nonce="${nonce}">
          ${sheet}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html> `;
  return new Response(page.text, {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "Referrer-Policy": "no-referrer",
      "X-Frame-Options": "DENY",
    },
  });
}
