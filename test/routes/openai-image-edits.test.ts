import { reset } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { admitDearCalls, ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import { askedFor, unique } from "./scripted.ts";
import { fetchBytes, storedKeys } from "./stored-pictures.ts";

const SCHNELL = "@cf/black-forest-labs/flux-1-schnell";
const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const DEV = "@cf/black-forest-labs/flux-2-dev";
const IMG2IMG = "@cf/runwayml/stable-diffusion-v1-5-img2img";
const INPAINTING = "@cf/runwayml/stable-diffusion-v1-5-inpainting";

const EDITS = "/v1/images/edits";
const VARIATIONS = "/v1/images/variations";

let small: File;
let large: File;
beforeAll(async () => {
  small = await aPicture(64);
  large = await aPicture(512);
});

async function aPicture(side: number): Promise<File> {
  const row = Array.from({ length: side }, (_, at) => at % 256);
  const png = await makePng(
    { width: side, height: side, depth: 8, colour: 0 },
    Array.from({ length: side }, () => row),
  );
  return new File([png], "picture.png", { type: "image/png" });
}

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`edited-${made}`, settings);
};

beforeEach(admitDearCalls);
afterEach(() => reset());

type Field = readonly [name: string, value: string | File];

interface Sent {
  readonly path?: string;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function post(
  { key }: TestTenant,
  fields: readonly Field[],
  { path = EDITS, env = WORKERS_AI, headers = {} }: Sent = {},
) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const response = new Response(form);
  const contentType = response.headers.get("content-type") ?? "";
  return ask("POST", path, {
    key,
    body: new Uint8Array(await response.arrayBuffer()),
    headers: { "Content-Type": contentType, ...headers },
    env,
  });
}

const byModel = (model: string): readonly Field[] => [
  ["image", small],
  ["prompt", "Add a boat"],
  ["model", model],
];

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

describe("POST /v1/images/edits", () => {
  it("starts from the picture, and holds and charges the call like any other", async () => {
    const tenant = await aTenant();
    const id = unique();
    const { status, body, headers } = await post(tenant, [
      ["image", small],
      ["prompt", `Add a boat ${id}`],
      ["n", "2"],
      ["size", "512x512"],
      ["user", "u_1"],
    ]);
    expect(status).toBe(200);
    // Twice 1 tile out of 26.05 and 1 in of 5.37
    expect(body.neurogate).toMatchObject({
      micro_neurons: 62_840_000,
      basis: "counted",
      priced_as: KLEIN,
      requested: 2,
      failed: 0,
    });
    expect(headers.get("x-neurogate-micro-neurons")).toBe("62840000");
    const [asked] = await askedFor(id);
    expect(asked).toMatchObject({
      model: KLEIN,
      inputs: { prompt: `Add a boat ${id}`, input_image_0: { bytes: small.size } },
    });
    const [line] = await lines(tenant);
    expect(line).toMatchObject({
      route: "POST /v1/images/edits",
      user_id: "u_1",
      micro_neurons: 62_840_000,
      items: [{ units: { output_tile_512: 2, input_tile_512: 2 } }],
    });
    expect((await fetchBytes(body.data[0].url)).status).toBe(200);
    const record = await tenant.call("GET", `/v1/images/${body.neurogate.ids[0]}/metadata`);
    expect(record.body).toMatchObject({ prompt: `Add a boat ${id}`, user_id: "u_1" });
  });

  it.each(["image", "image[]"])("takes several pictures as %s", async (name) => {
    const tenant = await aTenant();
    const id = unique();
    const { status, body } = await post(tenant, [
      [name, small],
      [name, small],
      ["prompt", `Put them together ${id}`],
      ["size", "512x512"],
      ["response_format", "b64_json"],
    ]);
    expect(status).toBe(200);
    // 1 tile out of 26.05 and 2 in of 5.37
    expect(body.neurogate).toMatchObject({ micro_neurons: 36_790_000, ids: [] });
    const [asked] = await askedFor(id);
    expect(asked?.inputs).toMatchObject({
      input_image_0: { bytes: small.size },
      input_image_1: { bytes: small.size },
    });
    expect(await storedKeys()).toEqual([]);
  });

  it("does not run a model without a price, and names those that have one", async () => {
    const tenant = await aTenant();
    const prompt: Field = ["prompt", "Add a boat"];
    const unpriced = await post(tenant, [["image", small], prompt, ["model", IMG2IMG]]);
    expect([unpriced.status, unpriced.body.error.kind]).toEqual([400, "unpriced_model"]);
    // FLUX.2 takes at most 511 pixels a side.
    const tooLarge = await post(tenant, [["image", large], prompt]);
    expect([tooLarge.status, tooLarge.body.error.param]).toEqual([400, "image"]);
    expect(tooLarge.body.error.message).toContain(KLEIN);
    expect(await lines(tenant)).toEqual([]);
  });

  it("resolves an alias, and says which models take the picture where its model does not", async () => {
    const tenant = await aTenant({ aliases: { "gpt-image-1": DEV, "dall-e-2": SCHNELL } });
    const { body } = await post(tenant, byModel("gpt-image-1"));
    expect(body.neurogate.priced_as).toBe(DEV);
    for (const model of ["dall-e-2", SCHNELL]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const refused = await post(tenant, byModel(model));
      expect([refused.status, refused.body.error.param]).toEqual([400, "image"]);
      expect(refused.body.error.message).toContain(
        `${SCHNELL} takes no image. These take it: ${KLEIN}`,
      );
    }
    expect(await lines(tenant)).toHaveLength(1);
  });

  it.each([
    [[["prompt", "A boat"]], "image"],
    [
      [
        ["image", "text"],
        ["prompt", "A boat"],
      ],
      "image[0]",
    ],
    [
      [
        ["image", new File(["no picture"], "a.png")],
        ["prompt", "A boat"],
      ],
      "image",
    ],
    [
      [
        ["image", null],
        ["image", new File(["no"], "a.png")],
        ["prompt", "A boat"],
      ],
      "image[1]",
    ],
    [[["image", null]], "prompt"],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["n", "9"],
      ],
      "n",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["n", "two"],
      ],
      "n",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["size", "100x100"],
      ],
      "size",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["mask", null],
      ],
      "mask",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["markup", "x"],
      ],
      "markup",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["complexity", "high"],
      ],
      "complexity",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["stream", "true"],
      ],
      "stream",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["background", "transparent"],
      ],
      "background",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["input_fidelity", "high"],
      ],
      "input_fidelity",
    ],
    [
      [
        ["image", null],
        ["prompt", "A boat"],
        ["model", INPAINTING],
      ],
      "model",
    ],
    [Array.from({ length: 5 }, () => ["image", null]), "image"],
  ] as readonly (readonly [readonly (readonly [string, string | File | null])[], string])[])(
    "case %#: a wrong form is refused and costs nothing",
    async (fields, param) => {
      const tenant = await aTenant();
      // Null: the picture, which is made after this table.
      const sent = fields.map(([name, value]): Field => [name, value ?? small]);
      const { status, body } = await post(tenant, sent);
      expect([status, body.error.param]).toEqual([400, param]);
      expect(await lines(tenant)).toEqual([]);
    },
  );

  it("takes empty fields and defaults for what is not given", async () => {
    const tenant = await aTenant();
    const { status } = await post(tenant, [
      ["image", small],
      ["prompt", "A boat"],
      ["model", ""],
      ["mask", ""],
      ["n", ""],
      ["stream", "false"],
      ["output_compression", "100"],
      ["input_fidelity", "low"],
    ]);
    expect(status).toBe(200);
  });

  it("answers a repeated idempotency key with the first reply, for the same picture only", async () => {
    const tenant = await aTenant();
    const send = (image: File) =>
      post(
        tenant,
        [
          ["image", image],
          ["prompt", "A boat"],
          ["model", DEV],
        ],
        {
          headers: { "Idempotency-Key": "k1" },
        },
      );
    const first = await send(small);
    expect((await send(small)).body).toEqual(first.body);
    expect((await send(await aPicture(32))).status).toBe(422);
    expect(await lines(tenant)).toHaveLength(1);
  });

  it("is refused beyond the quota before anything is made", async () => {
    const tenant = await aTenant({ daily_neurons: 100 });
    const { status, body } = await post(tenant, [
      ["image", small],
      ["prompt", "A boat"],
      ["n", "8"],
    ]);
    expect([status, body.error.kind]).toEqual([400, "over_limit"]);
  });

  it("says so where the engine makes pictures from a prompt alone", async () => {
    const tenant = await aTenant();
    const env = { INFERENCE: "openai", OPENAI_BASE_URL: "https://models.neurogate.dev/v1" };
    const { status, body } = await post(
      tenant,
      [
        ["image", small],
        ["prompt", "A boat"],
      ],
      { env },
    );
    expect([status, body.error.code]).toEqual([501, "engine_unsupported"]);
    expect(body.error.message).toContain("/v1/images/generations");
  });
});

describe("POST /v1/images/variations", () => {
  it("is an edit with a prompt of our own, which it shows", async () => {
    const tenant = await aTenant();
    const { status, body } = await post(
      tenant,
      [
        ["image", small],
        ["size", "512x512"],
      ],
      { path: VARIATIONS },
    );
    expect(status).toBe(200);
    // 1 tile out of 26.05 and 1 in of 5.37
    expect(body.neurogate).toMatchObject({ micro_neurons: 31_420_000, priced_as: KLEIN });
    expect(body.data[0].revised_prompt).toBe("Another version of this picture");
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ route: "POST /v1/images/variations", micro_neurons: 31_420_000 });
  });

  it("takes one picture", async () => {
    const tenant = await aTenant();
    const two: readonly Field[] = [
      ["image", small],
      ["image", small],
    ];
    const { status, body } = await post(tenant, two, { path: VARIATIONS });
    expect([status, body.error.param]).toEqual([400, "image"]);
  });
});
