# A receiver with FastAPI. The example of docs/webhooks.md stands between the marks.
# docs:begin
import json
import os

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

app = FastAPI()
webhook = Webhook(os.environ["WEBHOOK_SECRET"])


@app.post("/hooks")
async def hooks(request: Request) -> Response:
    body = await request.body()
    try:
        webhook.verify(body, dict(request.headers))
    except WebhookVerificationError:
        return Response(status_code=401)
    handle(json.loads(body))
    return Response(status_code=204)
# docs:end


def handle(event: dict) -> None:
    print("accepted", json.dumps(event), flush=True)


if __name__ == "__main__":
    import uvicorn

    print("listening", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
