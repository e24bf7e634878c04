# A receiver with Django, in one file. The example of docs/webhooks.md stands between the marks.
# docs:begin
import json
import os

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


@csrf_exempt
@require_POST
def hooks(request: HttpRequest) -> HttpResponse:
    try:
        webhook.verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return HttpResponse(status=401)
    handle(json.loads(request.body))
    return HttpResponse(status=204)
# docs:end


def handle(event: dict) -> None:
    print("accepted", json.dumps(event), flush=True)


if __name__ == "__main__":
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"])
    urlpatterns = [path("hooks", hooks)]
    WSGIRequestHandler.log_message = lambda *_: None
    server = make_server("127.0.0.1", int(os.environ["PORT"]), get_wsgi_application())
    print("listening", flush=True)
    server.serve_forever()
