// The same receiver with svix 2.x, whose `verify` returns nothing.
import express from "express";
// docs:begin
import { Webhook } from "svix";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

/** Throws if the signature is wrong. */
function eventOf(rawBody, headers) {
  webhook.verify(rawBody, headers);
  return JSON.parse(rawBody);
}
// docs:end

const app = express();
app.post("/hooks", express.raw({ type: "application/json" }), (request, response) => {
  try {
    console.log(`accepted ${JSON.stringify(eventOf(request.body.toString(), request.headers))}`);
    response.sendStatus(204);
  } catch {
    response.sendStatus(401);
  }
});

app.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
