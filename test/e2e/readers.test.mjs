// What reading hostile bodies takes of memory, heap and buffers together: in a process of its own,
// since the tests inside workerd cannot see it. The highest point of the process counts, so that
// nothing is missed between two looks.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const ABOVE_BODY_MB = 60;

const script = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { setFlagsFromString } from "node:v8";
  import { runInNewContext } from "node:vm";
  import * as hostile from "./abuse/hostile-bodies.mjs";
  import { audioLength } from "./src/audio/audio-length.ts";
  import { jsonTextTokens } from "./src/domain/generation/json-bound.ts";
  import { readPicture } from "./src/engines/picture.ts";
  import { takeByteArrays } from "./src/http/byte-arrays.ts";
  import { parseMultipart } from "./src/http/multipart.ts";
  import { parseJson } from "./src/http/read-body.ts";
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  const MB = 1024 * 1024;
  const READERS = {
    SOUNDS: [25 * MB, audioLength],
    PICTURES: [4 * MB, readPicture],
    RUN_BODIES: [25 * MB, (body) => takeByteArrays(body, ["image", "audio", "mask"], { base64Names: ["audio"] })],
    FORMS: [25 * MB, (body) => parseMultipart(body, hostile.BOUNDARY)],
    JSONS: [10 * MB, parseJson],
    CHATS: [2 * MB, (body) => jsonTextTokens(new TextDecoder().decode(body), 0)],
  };
  const [size, read] = READERS[process.argv[1]];
  // Linux forgets the highest point on demand, so that one body does not hide the next one's.
  const isLinux = process.platform === "linux";
  const forgetPeak = () => isLinux && writeFileSync("/proc/self/clear_refs", "5");
  const peak = () =>
    isLinux
      ? Number(/^VmHWM:\\s+(\\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024
      : process.resourceUsage().maxRSS / 1024;
  const bodies = hostile[process.argv[1]];
  // The first body, made twice, is what a body and its making take.
  for (let at = 0; at < 2; at += 1) Object.values(bodies)[0](size);
  for (const [kind, make] of Object.entries(bodies)) {
    const body = make(size);
    gc();
    forgetPeak();
    const before = peak();
    read(body);
    const grown = peak() - before;
    gc();
    process.stdout.write(JSON.stringify({ kind, grown }) + "\\n");
  }
`;

for (const kinds of ["SOUNDS", "PICTURES", "RUN_BODIES", "FORMS", "JSONS", "CHATS"]) {
  void test(`reading ${kinds} takes at most ${ABOVE_BODY_MB} MB beside the body`, () => {
    const args = [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "-e",
      script,
      kinds,
    ];
    const done = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(done.status, 0, done.stderr);
    const read = done.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.ok(read.length > 5);
    for (const { kind, grown } of read) {
      assert.ok(grown <= ABOVE_BODY_MB, `${kind}: ${grown.toFixed(0)} MB`);
    }
  });
}
