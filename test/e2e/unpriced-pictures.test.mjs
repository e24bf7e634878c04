// Picture models without a published price, on a real server whose operator set one: the line of
// docs/generation.md, as it stands there.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertInvariants, MARKER, Server } from "./server.mjs";

const PAGE = readFileSync(
  fileURLToPath(new URL("../../docs/generation.md", import.meta.url)),
  "utf8",
);
const SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0";
const LIGHTNING = "@cf/bytedance/stable-diffusion-xl-lightning";
const DREAMSHAPER = "@cf/lykon/dreamshaper-8-lcm";
const IMG2IMG = "@cf/runwayml/stable-diffusion-v1-5-img2img";

const server = new Server({
  PRICES: JSON.stringify({
    ...JSON.parse(/^PRICES = '(.*)'$/m.exec(PAGE)?.[1] ?? ""),
    [LIGHTNING]: { image: 5_000_000 },
    [DREAMSHAPER]: { tile_512: 3_000_000, step: 1 },
    [IMG2IMG]: { input_tile_512: 7 },
  }),
});
before(() => server.start());
after(() => server.stop());

test("they run at the operator's price, and are refused without one", async (t) => {
  const key = await server.makeTenant("unpriced");
  const post = (body) =>
    server.send("POST", "/v1/images", { key, body: { prompt: `A boat, ${MARKER}`, ...body } });
  for (const [model, wish, cost, side] of [
    // 10 steps of 2 neurons
    [SDXL, { steps: 10 }, 20_000_000, 1024],
    [LIGHTNING, {}, 5_000_000, 1024],
    // Twice one tile and 20 steps
    [DREAMSHAPER, { n: 2 }, 6_000_040, 512],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await t.test(model, async () => {
      const { status, body } = await post({ model, ...wish });
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual([body.micro_neurons, body.basis], [cost, "counted"]);
      assert.deepEqual([body.data[0].priced_as, body.data[0].width], [model, side]);
      const { body: lines } = await server.send("GET", "/v1/ledger", { key });
      assert.deepEqual(
        [lines.data[0].held_micro_neurons, lines.data[0].micro_neurons],
        [cost, cost],
      );
    });
  }
  await t.test("a price of nothing that a picture has", async () => {
    const { status, body } = await post({ model: IMG2IMG });
    assert.deepEqual([status, body.kind], [400, "unpriced_model"]);
    assert.match(body.detail, /if the operator of this deployment sets one \(PRICES\)/);
  });
  await assertInvariants(server.url, key);
});
