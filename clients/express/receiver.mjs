// A receiver with Express. The example of docs/webhooks.md stands between the marks.
// docs:begin
import express from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const app = express();

// The signature is over the raw bytes of the body. `express.json()` before this would consume them.
app.post("/hooks", express.raw({ type: "application/json" }), (request, response) => {
  try {
    webhook.verify(request.body, request.headers);
  } catch {
    return response.sendStatus(401);
  }
  handle(JSON.parse(request.body));
  response.sendStatus(204);
});
// docs:end

const handle = (event) => console.log(`accepted ${JSON.stringify(event)}`);

app.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
