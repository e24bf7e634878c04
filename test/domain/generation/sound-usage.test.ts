import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { audioLength } from "../../../src/audio/audio-length.ts";
import { type Model, resolveModel, priceOf } from "../../../src/domain/catalogue/catalogue.ts";
import { generationCharge } from "../../../src/domain/generation/generation-charge.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { planGeneration } from "../../../src/domain/generation/plan-generation.ts";
import {
  countedLength,
  type SoundMeasure,
  soundUsage,
  spoken,
} from "../../../src/domain/generation/sound-usage.ts";
import { tones } from "../../../src/engines/embedded/placeholder-speech.ts";
import { speechMeasure } from "../../../src/generation/counted-usage.ts";
import { flac, joined, mp3, mp4, opus, wav, webm } from "../../audio/recordings.ts";

const WHISPER = "@cf/openai/whisper";
const MELOTTS = "@cf/myshell-ai/melotts";
const AURA = "@cf/deepgram/aura-1";

const plan = (id: string, measured: SoundMeasure, prices = {}) =>
  planGeneration(measured, [id], {
    find: (model) => resolveModel(model, { workersPlan: null, prices }),
    defaultMaxTokens: 1024,
    fitTo: null,
  });

function modelOf(id: string): Model {
  const found = resolveModel(id, { workersPlan: null, prices: {} });
  if (found.kind !== "found") throw new Error(found.kind);
  return found.model;
}

describe("what sound costs", () => {
  it("is held by the millisecond, rounded up once", () => {
    const planned = plan(WHISPER, {
      kind: "transcription",
      audio: { atMostMs: 59_951, countedMs: 59_951 },
    });
    // 60,001 ms of 41,140,000 uN a minute: 41,140,685.67.
    expect(planned).toMatchObject({ stage: { bound: 41_140_686, units: { audio_ms: 60_001 } } });
  });

  it("has no bound where a file has no length, and no price where none is counted", () => {
    const measured = { kind: "transcription", audio: null } as const;
    expect(plan(WHISPER, measured)).toMatchObject({ kind: "unbounded_usage", field: "file" });
    const audio = { atMostMs: 1000, countedMs: 1000 };
    const prices = { [WHISPER]: { image: 5 } };
    expect(plan(WHISPER, { kind: "transcription", audio }, prices)).toEqual({
      kind: "unpriced_model",
      model: WHISPER,
    });
    // Characters cannot price what is heard.
    const perCharacter = { [WHISPER]: { input_character: 5 } };
    expect(plan(WHISPER, { kind: "transcription", audio }, perCharacter).kind).toBe(
      "unpriced_model",
    );
    expect(plan(MELOTTS, speechMeasure("a"), { [MELOTTS]: { image: 5 } }).kind).toBe(
      "unpriced_model",
    );
  });

  it("is for models of its task", () => {
    expect(plan(AURA, { kind: "transcription", audio: null }).kind).toBe("invalid_request");
    expect(plan(WHISPER, speechMeasure("a")).kind).toBe("invalid_request");
  });

  it("is held where nothing was counted", () => {
    const planned = { units: { audio_ms: 1050 }, ownTokens: 0, bound: microNeurons(719_950) };
    const end = { kind: "answered", usage: null, simulated: false } as const;
    const by = { kind: "transcription", model: modelOf(WHISPER) } as const;
    expect(generationCharge({ ...end, counted: null }, planned, by)).toMatchObject({
      microNeurons: 719_950,
      basis: "held",
    });
    const counted = countedLength({ atMostMs: 1000, countedMs: 500 });
    expect(generationCharge({ ...end, counted }, planned, by)).toMatchObject({
      microNeurons: 342_834,
      overrun: 0,
      basis: "counted",
    });
  });
});

describe("the bound of sound", () => {
  it("is never below what is counted of a recording", () => {
    const recordings = fc
      .tuple(fc.integer({ min: 1, max: 400 }), fc.nat(5), fc.nat(3))
      .map(([frames, format, twice]) => {
        const make = [
          () => wav({ ms: frames * 10 }),
          () => mp3({ frames }),
          () => flac({ frames }),
          () => opus({ packets: Math.min(frames, 120) }),
          () => mp4({ frames }),
          () => webm({ packets: frames }),
        ][format];
        const bytes = make?.() ?? wav();
        return twice === 0 ? joined(bytes, bytes) : bytes;
      });
    let [held, counted] = [0, 0];
    fc.assert(
      fc.property(recordings, (bytes) => {
        const audio = audioLength(bytes);
        const bound = soundUsage(modelOf(WHISPER), { kind: "transcription", audio });
        const units = countedLength(audio)?.units ?? { audio_ms: 0 };
        expect(bound.audio_ms ?? 0).toBeGreaterThanOrEqual(units.audio_ms ?? 0);
        if (units.audio_ms !== 0) {
          held += bound.audio_ms ?? 0;
          counted += units.audio_ms ?? 0;
        }
      }),
      { numRuns: 300 },
    );
    // Held to counted, for honest recordings of half a second to ten: 1.1 and less.
    expect(held / counted).toBeLessThan(1.1);
  });

  it("is never below what is counted or estimated of a text", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
      fc.constantFrom("\u{1D11E}".repeat(20), "\uFDFA", "\uD800", "日本語", "e\u0301"),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const measured = speechMeasure(text);
        for (const id of [MELOTTS, AURA]) {
          const model = modelOf(id);
          const bound = priceOf(model, soundUsage(model, measured));
          for (const made of [null, audioLength(tones(text))]) {
            const { units } = spoken(model, measured, made);
            expect(priceOf(model, units)).toBeLessThanOrEqual(bound);
          }
        }
        // However a character is counted: code points, graphemes, UTF-16.
        expect(Array.from(text).length).toBeLessThanOrEqual(measured.characters);
      }),
    );
  });
});
