import { env } from "cloudflare:workers";
import { until } from "../until.ts";

// Content that tells the fake of Workers AI how to behave (see test/fakes/workers-ai-server.mjs).

let drawn = 0;
let worker: string | null = null;

/**
 * A number: all are alike to the text model, so it changes neither the language nor a score. No other
 * worker of the tests has it, whatever its clock says.
 */
export function unique(): string {
  worker ??= String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(10, "0");
  drawn += 1;
  return `${worker}${String(drawn).padStart(5, "0")}`;
}

export interface Scripted {
  readonly text: string;
  /** The models that were asked about this text, in order. */
  readonly asked: () => Promise<string[]>;
}

/** A harmless English text, or another one, under a behaviour: `judge=3040,ok`. */
export function scripted(
  behaviour: string,
  said = "Our library has many books about gardens, birds and trees",
): Scripted {
  const id = unique();
  return { text: `${said} [[fake:${behaviour}|${id}]]`, asked: () => askedAbout(id) };
}

export async function askedAbout(match: string): Promise<string[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: { readonly model: string }[] = await (await fetch(url)).json();
  return requests.map(({ model }) => model);
}

/** What a request for pictures reached the fake of Workers AI as. */
export async function askedFor(match: string): Promise<{ model: string; inputs: unknown }[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  const requests: { model: string; inputs: unknown }[] = await (await fetch(url)).json();
  return requests.map(({ model, inputs }) => ({ model, inputs }));
}

/** Until so many calls about a text have arrived. */
export async function arrived(content: Scripted, count: number): Promise<void> {
  await until(async () => (await content.asked()).length >= count);
}
