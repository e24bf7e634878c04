import type { FieldError } from "../domain/ledger/failure.ts";

// One path in its two notations: RFC 6901 in problems, JavaScript's in OpenAI's `param`.

type Path = FieldError["path"];

/** RFC 6901, section 6: `["images", 0, "url"]` is `#/images/0/url`. */
export function jsonPointer(path: Path): string {
  const escaped = path.map((key) => {
    const token = String(key).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
    return `/${encodeURIComponent(token)}`;
  });
  return `#${escaped.join("")}`;
}

/** `["images", 0, "url"]` is `images[0].url`; the whole body is null. */
export function paramName(path: Path): string | null {
  let name = "";
  for (const key of path) {
    if (typeof key === "number") name += `[${key}]`;
    else if (!/^[\w-]+$/.test(key)) name += `[${JSON.stringify(key)}]`;
    else name += name === "" ? key : `.${key}`;
  }
  return name === "" ? null : name;
}
