// The call that was made, as code in several languages. The key is never in it.

export interface Sample {
  readonly title: string;
  readonly code: string;
}

const KEY = "$NEUROGATE_KEY";

/** The bytes of a picture are left out. */
const MOST_BASE64 = 60;

export function elided(body: unknown): unknown {
  if (typeof body === "string" && body.length > 400 && /^[A-Za-z0-9+/=]+$/.test(body)) {
    return `${body.slice(0, MOST_BASE64)}…`;
  }
  if (Array.isArray(body)) return body.map(elided);
  if (typeof body === "object" && body !== null) {
    return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, elided(value)]));
  }
  return body;
}

/** Quotes a text for a shell: each single quote in it becomes `'\''`. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const curl = (origin: string, path: string, body: unknown): Sample => ({
  title: "curl",
  code: [
    `curl -s ${origin}${path} \\`,
    `  -H "Authorization: Bearer ${KEY}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d ${shellQuoted(JSON.stringify(elided(body)))}`,
  ].join("\n"),
});

export const fetchCall = (origin: string, path: string, body: unknown): Sample => ({
  title: "JavaScript",
  code: [
    `const response = await fetch("${origin}${path}", {`,
    `  method: "POST",`,
    `  headers: {`,
    `    Authorization: \`Bearer \${process.env.NEUROGATE_KEY}\`,`,
    `    "Content-Type": "application/json",`,
    `  },`,
    `  body: JSON.stringify(${indented(body)}),`,
    `});`,
    `const verdict = await response.json();`,
  ].join("\n"),
});

const client = (origin: string): string =>
  [
    `import OpenAI from "openai";`,
    ``,
    `const client = new OpenAI({`,
    `  baseURL: "${origin}/v1",`,
    `  apiKey: process.env.NEUROGATE_KEY,`,
    `});`,
  ].join("\n");

export const openAiModeration = (origin: string, input: unknown): Sample => ({
  title: "OpenAI SDK",
  code: `${client(origin)}\nconst { results } = await client.moderations.create({\n  model: "omni-moderation-latest",\n  input: ${indented(input)},\n});`,
});

export const openAiChat = (origin: string, body: unknown): Sample => ({
  title: "OpenAI SDK",
  code: `${client(origin)}\nconst stream = await client.chat.completions.create(${indented(body, 0)});\nfor await (const chunk of stream) {\n  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");\n}`,
});

const indented = (value: unknown, by = 2): string =>
  JSON.stringify(elided(value), null, 2).replaceAll("\n", `\n${" ".repeat(by)}`);
