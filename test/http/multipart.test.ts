import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldsOf, formFingerprint } from "../../src/http/form.ts";
import { utf8 } from "../../src/http/call-labels.ts";
import { boundaryIn, parseMultipart, type Part } from "../../src/http/multipart.ts";
import { anIntake } from "./an-intake.ts";
import { readForm } from "../../src/http/read-body.ts";
import { Upload } from "../../src/http/upload.ts";

const bytesOf = (text: string) => utf8(text).slice();

/** A form as a client would write it, with that boundary. */
async function encoded(form: FormData): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string }> {
  const response = new Response(form);
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    type: response.headers.get("content-type") ?? "",
  };
}

const parts = (bytes: Uint8Array<ArrayBuffer>, boundary: string): readonly Part[] => {
  const form = parseMultipart(bytes, boundary);
  if (form.kind !== "form") throw new Error(JSON.stringify(form));
  return form.parts;
};

const disposition = 'Content-Disposition: form-data; name="model"';
const field = (value: string) => `--b\r\n${disposition}\r\n\r\n${value}\r\n--b--`;

describe("parseMultipart", () => {
  it("reads what the platform's own formData() reads, for any bytes", async () => {
    const drawn = fc.record({
      name: fc.stringMatching(/^[a-z][a-z_]{0,10}(\[\])?$/),
      content: fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => new File([bytes.slice()], "a b.mp3")),
        fc.string({ unit: "binary" }).map((text) => text.replace(/\r\n?|\n/g, " ")),
        fc.constantFrom("", "\r\n--", "--", "\r\n\r\n", new File([], "empty.wav")),
      ),
    });
    const property = fc.asyncProperty(fc.array(drawn, { maxLength: 6 }), async (fields) => {
      const form = new FormData();
      for (const { name, content } of fields) {
        if (typeof content === "string") form.append(name, content);
        else form.append(name, content, content.name);
      }
      const { bytes, type } = await encoded(form);
      const theirs = await new Response(bytes, { headers: { "content-type": type } }).formData();
      const expected = await Promise.all(
        [...theirs].map(async ([name, value]) =>
          typeof value === "string"
            ? [name, value]
            : [name, value.name, [...new Uint8Array(await value.arrayBuffer())]],
        ),
      );
      const ours = parts(bytes, boundaryIn(type) ?? "").map(({ name, value }) =>
        typeof value === "string" ? [name, value] : [name, value.name, [...value.bytes]],
      );
      expect(ours).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  it("copies no file", () => {
    const body = bytesOf(
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz\r\n--b--\r\n',
    );
    const [part] = parts(body, "b");
    if (!(part?.value instanceof Upload)) throw new Error("it is no file");
    expect(part.value.bytes.buffer).toBe(body.buffer);
    expect(part.value.contentType).toBe("application/octet-stream");
  });

  it.each([
    ["a line break", "\r\n"],
    ["line breaks", "\r\n\r\n"],
    ["a word", "This is a form.\r\n"],
  ])("passes over %s before the first boundary", (_, before) => {
    expect(parts(bytesOf(before + field("a")), "b")).toEqual([{ name: "model", value: "a" }]);
  });

  it.each([
    ['filename="a.wav"', "a.wav"],
    ["filename*=UTF-8''caf%C3%A9%20%22.wav", 'café ".wav'],
    ["filename=\"ascii.wav\"; filename*=utf-8'en'caf%C3%A9.wav", "café.wav"],
    ["filename*=latin1''caf%E9.wav; filename=plain.wav", "plain.wav"],
    ['filename="a; name=b.wav"', "a; name=b.wav"],
    ['FileName = "a\\"b.wav"', 'a"b.wav'],
  ])("reads a file's name of %s", (given, name) => {
    const head = `Content-Disposition: form-data; ${given}; name="file"`;
    const [part] = parts(bytesOf(`--b\r\n${head}\r\n\r\nx\r\n--b--`), "b");
    expect(part?.name).toBe("file");
    if (!(part?.value instanceof Upload)) throw new Error("it is no file");
    expect(part.value.name).toBe(name);
  });

  it("gives up what stands before a boundary for long", () => {
    const body = bytesOf(`${"x".repeat(2000)}\r\n${field("a")}`);
    expect(parseMultipart(body, "b").kind).toBe("invalid_request");
  });

  it("finds a boundary among parts of it, whatever bytes come before", () => {
    const near = "\r\r\n\r\n-\r\n--\r\n--b\r\n--bound\r\r\n--boundar\r";
    const body = `--boundary\r\ncontent-disposition: form-data; name=a\r\n\r\n${near}\r\n--boundary--`;
    expect(parts(bytesOf(body), "boundary")).toEqual([{ name: "a", value: near }]);
  });

  it.each([
    ["no boundary at its start", `x--b\r\n${disposition}\r\n\r\na\r\n--b--`, "must begin"],
    ["another boundary", `--c\r\n${disposition}\r\n\r\na\r\n--c--`, "must begin"],
    ["a boundary with a tail", `--bb\r\n${disposition}\r\n\r\na\r\n--b--`, "must end"],
    ["no end", `--b\r\n${disposition}\r\n\r\na\r\n`, "must end"],
    ["an end that is cut", `--b\r\n${disposition}\r\n\r\na\r\n--b`, "must end"],
    ["no name", "--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--", "must have parts with"],
    [
      "an empty name",
      '--b\r\nContent-Disposition: form-data; name=""\r\n\r\na\r\n--b--',
      "must have",
    ],
    ["no header", "--b\r\n\r\na\r\n--b--", "must have parts with"],
    ["a header without end", `--b\r\n${disposition}${"x".repeat(9000)}`, "must have parts with"],
    [
      "too many parts",
      `${`--b\r\n${disposition}\r\n\r\na\r\n`.repeat(33)}--b--`,
      "must have at most",
    ],
    ["nothing", "", "must begin"],
    ["spaces behind a boundary, without end", `--b${" ".repeat(300)}\r\n`, "must end"],
  ])("refuses a body with %s", (_, body, sentence) => {
    const form = parseMultipart(bytesOf(body), "b");
    expect(form).toMatchObject({ kind: "invalid_request", errors: [{ path: [] }] });
    expect(JSON.stringify(form)).toContain(sentence);
  });

  it("names the text that is too large, or no text", () => {
    expect(parseMultipart(bytesOf(field("x".repeat(65_536))), "b").kind).toBe("form");
    expect(parseMultipart(bytesOf(field("x".repeat(65_537))), "b")).toEqual({
      kind: "invalid_request",
      errors: [
        {
          path: ["model"],
          detail: "must be at most 65536 bytes; a file has a filename in its Content-Disposition",
        },
      ],
    });
    const broken = bytesOf(field("x"));
    broken[broken.indexOf("x".charCodeAt(0), 40)] = 0xff;
    expect(parseMultipart(broken, "b")).toMatchObject({
      errors: [
        {
          path: ["model"],
          detail: "must be valid UTF-8; a file has a filename in its Content-Disposition",
        },
      ],
    });
  });
});

describe("boundaryIn", () => {
  it.each([
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b=c"', "a b=c"],
    ["multipart/form-data;boundary=----formdata-undici-012345", "----formdata-undici-012345"],
    ["multipart/form-data", null],
    ["multipart/form-data; boundary=", null],
    [`multipart/form-data; boundary=${"x".repeat(71)}`, null],
    ['multipart/form-data; boundary="a\r\nb"', null],
    ["multipart/mixed; boundary=abc", undefined],
    ["application/json", undefined],
    ["", undefined],
  ])("of %j is %j", (type, boundary) => {
    expect(boundaryIn(type)).toBe(boundary);
  });
});

describe("fields", () => {
  const upload = new Upload(bytesOf("abc"), "audio/mpeg", "a.mp3");

  it("collects lists, and refuses to choose between two", () => {
    expect(
      fieldsOf([
        { name: "model", value: "m" },
        { name: "t[]", value: "word" },
        { name: "t[]", value: "segment" },
        { name: "file", value: upload },
      ]),
    ).toEqual({ model: "m", t: ["word", "segment"], file: upload });
    const twice = [
      { name: "file", value: upload },
      { name: "file", value: upload },
    ];
    const lists = [
      { name: "times", value: "word" },
      { name: "times", value: "segment" },
      { name: "other", value: "one" },
    ];
    expect(fieldsOf(lists, ["times", "other"])).toEqual({
      times: ["word", "segment"],
      other: ["one"],
    });
    expect(fieldsOf(twice)).toEqual({ path: ["file"], detail: "must be sent once" });
  });

  it("are named alike whatever the boundary, and other when anything else is", async () => {
    const form = new FormData();
    form.append("model", "whisper");
    form.append("file", new File(["abc"], "a.mp3", { type: "audio/mpeg" }));
    const [one, two] = await Promise.all([encoded(form), encoded(form)]);
    expect(one.type).not.toBe(two.type);
    const named = ({ bytes, type }: typeof one) =>
      formFingerprint(parts(bytes, boundaryIn(type) ?? ""));
    const first = await named(one);
    expect(await named(two)).toBe(first);
    const others: Part[][] = [
      [{ name: "model", value: "whisper" }],
      [
        { name: "model", value: "other" },
        { name: "file", value: upload },
      ],
      [
        { name: "model", value: "whisper" },
        { name: "file", value: new Upload(bytesOf("abd"), "audio/mpeg", "a.mp3") },
      ],
    ];
    const prints = await Promise.all(others.map(formFingerprint));
    expect(new Set([first, ...prints]).size).toBe(4);
  });
});

const post = (headers: Record<string, string>, body = "--b--") =>
  readForm(new Request("https://gate.test/", { method: "POST", headers, body }), 100, anIntake());

describe("readForm", () => {
  const type = { "content-type": "multipart/form-data; boundary=b" };

  it("reads one without parts", async () => {
    expect(await post(type)).toMatchObject({ kind: "form", fields: {} });
  });

  it.each([
    ["another type", { "content-type": "application/json" }, "unsupported_media_type"],
    ["an encoding", { ...type, "content-encoding": "zstd" }, "unsupported_media_type"],
    ["no boundary", { "content-type": "multipart/form-data" }, "invalid_request"],
    ["a body that is too long", { ...type, "content-length": "101" }, "body_too_large"],
  ])("refuses %s", async (_, headers, kind) => {
    expect((await post(headers)).kind).toBe(kind);
  });
});

const read = (head: string) => parseMultipart(bytesOf(`--b\r\n${head}\r\n\r\nx\r\n--b--`), "b");

describe("a part as some clients write it", () => {
  it("may have its disposition on two lines", () => {
    const folded = 'Content-Disposition: form-data;\r\n name="model"';
    expect(read(folded)).toEqual({ kind: "form", parts: [{ name: "model", value: "x" }] });
  });

  it.each([
    `Content-Disposition: form-data; name="file"; filename*=ISO-8859-1''caf%E9.wav`,
    `Content-Disposition: form-data; name="file"; filename*=UTF-8''%zz.wav`,
    'Content-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream',
    'Content-Disposition: form-data; name="file"\r\nContent-Type: audio/wav',
  ])("is a file with a name that cannot be read, or none: %s", (head) => {
    const form = read(head);
    expect(form.kind === "form" && form.parts[0]?.value).toBeInstanceOf(Upload);
  });

  it("is not decoded from base64, and says so", () => {
    const head =
      'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: ';
    expect(read(`${head}base64`)).toMatchObject({
      errors: [{ path: ["file"], detail: expect.stringContaining("Content-Transfer-Encoding") }],
    });
    expect(read(`${head}binary`).kind).toBe("form");
  });

  it("is refused with its reason where its lines end in LF", () => {
    const form = parseMultipart(bytesOf(`--b\n${disposition}\n\nx\n--b--\n`), "b");
    expect(form).toMatchObject({ errors: [{ detail: expect.stringContaining("CRLF") }] });
  });
});
