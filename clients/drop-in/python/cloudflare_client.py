# Cloudflare's official client for Python. It reads its base URL and its token from the environment itself.
import base64
import json

from cloudflare import APIStatusError, Cloudflare

from drive import MODELS, SAID, account_of, drive, saying, user_says
from features import (
    WEATHER_FUNCTION, Weather, answer_calls, features_of, shown_of, writing_weather,
)

client = Cloudflare()
ACCOUNT, _ = account_of()


def run(model, **inputs):
    return client.ai.run(model, account_id=ACCOUNT, **inputs)


def read(model, **inputs):
    """The client leaves bytes and events to its user."""
    return client.ai.with_streaming_response.run(model, account_id=ACCOUNT, **inputs)


def ask(prompt, model=MODELS["chat"], is_spent=False):
    messages = user_says(prompt)
    if not is_spent:
        return shown_of(run(model, messages=messages))
    account, token = account_of(is_spent)
    spent = Cloudflare(api_token=token)
    return shown_of(spent.ai.run(model, account_id=account, messages=messages))


def stream(prompt, model=MODELS["chat"]):
    shown, is_done = {"text": ""}, False
    with read(model, messages=user_says(prompt), stream=True) as response:
        for line in response.iter_lines():
            if not line.startswith("data: "):
                continue
            is_done = line == "data: [DONE]"
            if is_done:
                continue
            event = json.loads(line[6:])
            if "error" in event:
                raise RuntimeError(event["error"])
            usage = event.get("usage")
            if usage:
                shown["usage"] = [usage["prompt_tokens"], usage["completion_tokens"]]
                details = usage.get("completion_tokens_details")
                shown["reasoning"] = details and details["reasoning_tokens"]
            if event.get("response"):
                shown["text"] += event["response"]
            for choice in event.get("choices", []):
                shown["text"] += choice["delta"].get("content") or ""
                shown["finish"] = choice.get("finish_reason") or shown.get("finish")
    if not is_done:
        raise RuntimeError("the stream has no end")
    return shown


def ask_older():
    assert run(MODELS["older_chat"], prompt=saying())["response"] == SAID


def stream_older():
    assert stream(saying(), MODELS["older_chat"])["text"] == SAID


def read_object():
    schema = {"type": "object", "properties": {"degrees": {"type": "number"}}}
    result = run(
        MODELS["chat"],
        messages=user_says(writing_weather()),
        response_format={"type": "json_schema", "json_schema": schema},
    )
    return Weather.model_validate_json(result["choices"][0]["message"]["content"])


def use_tools(prompt, get_weather, is_streamed):
    tools = [{"type": "function", "function": WEATHER_FUNCTION}]

    def complete(messages):
        return run(MODELS["chat"], messages=messages, tools=tools)["choices"][0]["message"]

    return answer_calls(prompt, get_weather, complete)


def speak(text):
    with read("@cf/deepgram/aura-2-en", text=text) as response:
        return response.read()


drive(
    ["cloudflare"],
    features_of(
        service="cloudflare",
        ask=ask,
        stream=stream,
        status_of=lambda error: error.status_code if isinstance(error, APIStatusError) else None,
        objects=[read_object],
        use_tools=use_tools,
        embed=lambda texts: run(MODELS["embedding"], text=texts)["data"],
        draw=lambda prompt: base64.b64decode(run(MODELS["image"], prompt=prompt)["image"]),
        speak=speak,
        hear=lambda file: run(MODELS["transcription"], audio=list(file.read()))["text"],
        own={"text": ask_older, "stream": stream_older},
    ),
)
