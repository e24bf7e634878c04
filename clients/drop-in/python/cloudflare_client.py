# Cloudflare's official client for Python. It reads its base URL and its token from the environment itself.
import base64
import json
import os

from cloudflare import APIStatusError, Cloudflare

from drive import (
    HEARD, MODELS, SAID, asking_for_weather, assert_errors, assert_vectors, drive, odd_answers,
    recording, saying, texts,
)

client = Cloudflare()
ACCOUNT = os.environ["CLOUDFLARE_ACCOUNT_ID"]


def user_says(content):
    return [{"role": "user", "content": content}]


def run(model, **inputs):
    return client.ai.run(model, account_id=ACCOUNT, **inputs)


def ask(prompt, model=MODELS["chat"], is_spent=False):
    one, account = client, ACCOUNT
    if is_spent:
        one = Cloudflare(api_token=os.environ["SPENT_API_TOKEN"])
        account = os.environ["SPENT_ACCOUNT_ID"]
    result = one.ai.run(model, account_id=account, messages=user_says(prompt))
    choice, usage = result["choices"][0], result.get("usage")
    details = usage and usage.get("completion_tokens_details")
    return {
        "text": choice["message"]["content"] or "",
        "finish": choice["finish_reason"],
        "usage": usage and [usage["prompt_tokens"], usage["completion_tokens"]],
        "reasoning": details and details["reasoning_tokens"],
    }


def stream(prompt, model=MODELS["chat"]):
    """The client leaves the reading of events to its user."""
    asking = client.ai.with_streaming_response.run(
        model, account_id=ACCOUNT, messages=user_says(prompt), stream=True
    )
    shown, is_done = {"text": ""}, False
    with asking as response:
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


def text():
    assert ask(saying())["text"] == SAID
    assert run(MODELS["older_chat"], prompt=saying())["response"] == SAID


def streamed():
    assert stream(saying())["text"] == SAID
    assert stream(saying(), MODELS["older_chat"])["text"] == SAID


def objects():
    weather = {"city": "Paris", "degrees": 24}
    result = run(
        MODELS["chat"],
        messages=user_says(saying(json.dumps(weather))),
        response_format={
            "type": "json_schema",
            "json_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    )
    assert json.loads(result["choices"][0]["message"]["content"]) == weather, result


def tools():
    messages, cities = user_says(asking_for_weather()), []
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "get_weather", "description": "Weather", "parameters": parameters}
    for _ in range(3):
        result = run(
            MODELS["chat"], messages=messages, tools=[{"type": "function", "function": function}]
        )
        message = result["choices"][0]["message"]
        if not message.get("tool_calls"):
            break
        [call] = message["tool_calls"]
        cities.append(json.loads(call["function"]["arguments"])["city"])
        answer = {"role": "tool", "tool_call_id": call["id"], "content": "24 degrees"}
        messages += [message, answer]
    assert (message["content"], cities) == (SAID, ["Paris", "Rome"]), (message, cities)


def embeddings():
    assert_vectors(run(MODELS["embedding"], text=texts(150))["data"], 150)


def images():
    image = base64.b64decode(run(MODELS["image"], prompt="A red boat")["image"])
    assert image.startswith(b"\xff\xd8"), image


def speech():
    asking = client.ai.with_streaming_response.run(
        "@cf/deepgram/aura-2-en", account_id=ACCOUNT, text="Hello"
    )
    with asking as response:
        assert len(response.read()) > 400


def transcription():
    audio = list(recording().read())
    assert run(MODELS["transcription"], audio=audio)["text"] == HEARD


def errors():
    assert_errors(
        ask,
        lambda error: error.status_code if isinstance(error, APIStatusError) else None,
        "CLOUDFLARE_UPSTREAM_URL",
    )


drive(
    ["cloudflare"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "embeddings": embeddings,
        "images": images,
        "speech": speech,
        "transcription": transcription,
        "errors": errors,
        "odd": odd_answers(ask, stream),
    },
)
