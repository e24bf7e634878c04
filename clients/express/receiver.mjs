// A receiver with Express. The example of docs/webhooks.md stands between the marks.
// docs:begin
import express from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const app = express();

// The raw body: its bytes are what is signed. `express.json()` before it would leave none.
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
