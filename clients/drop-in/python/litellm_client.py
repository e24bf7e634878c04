# LiteLLM's SDK as a client, with the names that it has for services of OpenAI's kind.
import json
import os
import urllib.request

# Its own list of models, without a look at another host.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
from pydantic import BaseModel

from drive import (
    HEARD, MODELS, RUDE, SAID, asking_for_weather, assert_errors, assert_vectors, drive,
    odd_answers, recording, saying, texts,
)

litellm.suppress_debug_info = True
BASE = {"api_base": os.environ["OPENAI_BASE_URL"]}


def named(model):
    return f"openai/{model}"


def user_says(content):
    return [{"role": "user", "content": content}]


def shown_of(reply):
    choice, usage = reply.choices[0], getattr(reply, "usage", None)
    details = usage and usage.completion_tokens_details
    return {
        "text": choice.message.content or "",
        "finish": choice.finish_reason,
        "usage": usage and [usage.prompt_tokens, usage.completion_tokens],
        "reasoning": details and details.reasoning_tokens,
    }


def ask(prompt, model=MODELS["chat"], is_spent=False):
    key = os.environ["SPENT_API_KEY" if is_spent else "OPENAI_API_KEY"]
    messages = user_says(prompt)
    return shown_of(litellm.completion(model=named(model), messages=messages, api_key=key, **BASE))


def stream(prompt):
    messages = user_says(prompt)
    chunks = litellm.completion(
        model=named(MODELS["chat"]),
        messages=messages,
        stream=True,
        stream_options={"include_usage": True},
        **BASE,
    )
    return shown_of(litellm.stream_chunk_builder(list(chunks), messages=messages))


class Weather(BaseModel):
    city: str
    degrees: float
    note: str | None


WEATHER = Weather(city="Paris", degrees=24, note=None)


def text():
    shown = ask(saying())
    assert (shown["text"], shown["finish"], shown["usage"]) == (SAID, "stop", [12, 5]), shown


async def streamed():
    said = ""
    chunks = await litellm.acompletion(
        model=named(MODELS["chat"]), messages=user_says(saying()), stream=True, **BASE
    )
    async for chunk in chunks:
        said += chunk.choices[0].delta.content or ""
    assert said == SAID, said


def objects():
    reply = litellm.completion(
        model=named(MODELS["chat"]),
        messages=user_says(saying(WEATHER.model_dump_json())),
        response_format=Weather,
        **BASE,
    )
    assert Weather.model_validate_json(reply.choices[0].message.content) == WEATHER


def tools():
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "get_weather", "parameters": parameters}
    for more in ["", "&no_ids"]:
        messages, cities = user_says(asking_for_weather(more)), []
        for _ in range(3):
            chunks = litellm.completion(
                model=named(MODELS["chat"]),
                messages=messages,
                tools=[{"type": "function", "function": function}],
                stream=True,
                **BASE,
            )
            message = litellm.stream_chunk_builder(list(chunks)).choices[0].message
            if not message.tool_calls:
                break
            messages.append(message.model_dump())
            for call in message.tool_calls:
                cities.append(json.loads(call.function.arguments)["city"])
                messages.append({"role": "tool", "tool_call_id": call.id, "content": "24 degrees"})
        assert (message.content, cities) == (SAID, ["Paris", "Rome"]), (message, cities)


def embeddings():
    reply = litellm.embedding(model=named(MODELS["embedding"]), input=texts(150), **BASE)
    assert_vectors([one["embedding"] for one in reply.data], 150)


def images():
    reply = litellm.image_generation(model=named(MODELS["image"]), prompt="A red boat", **BASE)
    with urllib.request.urlopen(reply.data[0].url) as picture:
        assert picture.read(4)[1:] == b"PNG"


def speech():
    reply = litellm.speech(model=named(MODELS["speech"]), voice="alloy", input="Hello", **BASE)
    assert len(reply.content) > 400


def transcription():
    reply = litellm.transcription(
        model=named(MODELS["transcription"]), file=recording(), **BASE
    )
    assert reply.text == HEARD, reply


def moderation():
    reply = litellm.moderation(input=RUDE, model="omni-moderation-latest", **BASE)
    assert reply.results[0].flagged is True, reply


def guard():
    reply = litellm.completion(
        model=named(MODELS["chat"]),
        messages=user_says(f"{RUDE} {saying()}"),
        extra_body={
            "moderation": {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}}}
        },
        **BASE,
    )
    assert reply.choices[0].finish_reason == "content_filter", reply


def errors():
    assert_errors(ask, lambda error: getattr(error, "status_code", None))


drive(
    ["litellm"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "embeddings": embeddings,
        "images": images,
        "speech": speech,
        "transcription": transcription,
        "moderation": moderation,
        "guard": guard,
        "errors": errors,
        "odd": odd_answers(ask, stream),
    },
)
