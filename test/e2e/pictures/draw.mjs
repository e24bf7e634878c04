// node test/e2e/pictures/draw.mjs
//
// Draws the sample pictures in this folder in Chromium: shapes and gradients on a canvas, encoded by the
// browser. Another version of Chromium may encode other bytes, so the files are committed.
import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

/** The sides of a file and its encoding, as `canvas.toBlob` takes it. */
const FILES = {
  "harbour.jpg": { width: 640, height: 427, type: "image/jpeg" },
  "harbour.webp": { width: 451, height: 300, type: "image/webp" },
  "harbour.png": { width: 224, height: 160, type: "image/png" },
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage();
for (const [name, picture] of Object.entries(FILES)) {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  const base64 = await page.evaluate(draw, picture);
  writeFileSync(new URL(name, import.meta.url), Buffer.from(base64, "base64"));
}
await browser.close();

/** A boat before the evening sun. It runs in the page; returns the file as base64. */
async function draw({ width, height, type }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.scale(width / 640, height / 427);
  const fill = (style, shape) => {
    context.fillStyle = style;
    context.beginPath();
    shape();
    context.fill();
  };
  const sky = context.createLinearGradient(0, 0, 0, 270);
  sky.addColorStop(0, "#1d3b73");
  sky.addColorStop(1, "#f2a65a");
  fill(sky, () => context.rect(0, 0, 640, 270));
  fill("#ffe9b0", () => context.arc(440, 215, 48, 0, 2 * Math.PI));
  const sea = context.createLinearGradient(0, 270, 0, 427);
  sea.addColorStop(0, "#2a6f8f");
  sea.addColorStop(1, "#0b2233");
  fill(sea, () => context.rect(0, 270, 640, 157));
  fill("#3c4a3e", () => context.ellipse(60, 275, 150, 60, 0, Math.PI, 2 * Math.PI));
  const triangle = (x1, y1, x2, y2, x3, y3) => {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.lineTo(x3, y3);
  };
  fill("#f6f4ec", () => triangle(290, 120, 290, 290, 205, 290));
  fill("#d94f30", () => triangle(300, 140, 300, 290, 370, 290));
  fill("#5b3a21", () => {
    triangle(190, 300, 390, 300, 350, 345);
    context.lineTo(225, 345);
  });
  const blob = await canvas.convertToBlob({ type, quality: 0.85 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(String.fromCodePoint(...bytes));
}
