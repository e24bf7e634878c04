// The Markdown conversion of Workers AI, as the runtime's own `ToMarkdownService` calls it (workerd,
// `cloudflare-internal:to-markdown-api`): GET …/to-everything/markdown/supported, POST …/transformer with
// { files: [{ name, mimeType, data }], options }. It reads the text of simple PDF files, and of the others
// whatever is printable in them. A marker in the text of the file says how it behaves:
//
//   [[fake:convert_error]]   the file cannot be converted: { format: "error" }
//   [[fake:convert_500]]     the service fails

import { breakTransport } from "./script.mjs";

const PATH = "/to-everything/markdown/";

const SUPPORTED = [
  { extension: ".pdf", mimeType: "application/pdf" },
  { extension: ".jpeg", mimeType: "image/jpeg" },
  { extension: ".png", mimeType: "image/png" },
  { extension: ".html", mimeType: "text/html" },
  {
    extension: ".docx",
    mimeType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  },
  {
    extension: ".xlsx",
    mimeType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  },
  { extension: ".csv", mimeType: "text/csv" },
];

export const isConversion = (request) =>
  (request.headers["mf-url"] ?? "").includes(`workers-binding.ai${PATH}`);

const json = (response, status, value) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};

export function answerConversion(script, request, body, response) {
  if (request.headers["mf-url"].endsWith(`${PATH}supported`)) {
    return json(response, 200, { success: true, result: SUPPORTED });
  }
  const { files, options } = JSON.parse(body.toString());
  const contents = files.map(({ data }) => Buffer.from(data, "base64").toString("latin1"));
  const content = contents.join("\n");
  const behaviour = /\[\[fake:(\w+)/.exec(content)?.[1] ?? "ok";
  const inputs = files.map(({ name, mimeType }) => ({ name, mimeType }));
  script.record({ task: "markdown", model: "markdown", content, inputs, options, behaviour });
  if (breakTransport(behaviour, request, response)) return;
  if (behaviour === "convert_500") {
    return json(response, 500, { success: false, errors: [{ message: "Internal Error" }] });
  }
  json(response, 200, {
    success: true,
    result: files.map(({ name, mimeType }, at) => ({
      id: crypto.randomUUID(),
      name,
      mimeType,
      ...(behaviour === "convert_error"
        ? { format: "error", error: "the file is damaged" }
        : markdown(contents[at], mimeType)),
    })),
  });
}

function markdown(content, mimeType) {
  const lines =
    mimeType === "application/pdf"
      ? [...content.matchAll(/\(((?:[^()\\]|\\.)*)\) ?Tj/g)].map(([, text]) => text)
      : [content.replace(/[^\n -~]+/g, " ").trim()];
  const data = lines.join("\n");
  return { format: "markdown", tokens: Math.ceil(data.length / 4), data };
}
