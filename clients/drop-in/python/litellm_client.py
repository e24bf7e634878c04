# LiteLLM's SDK as a client, with the names that it has for services of OpenAI's kind.
import os
import urllib.request

# Its own list of models, without a look at another host.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

from drive import MODELS, RUDE, SAID, drive, key_of, saying, user_says
from features import (
    WEATHER_FUNCTION, Weather, answer_calls, features_of, shown_of, writing_weather,
)

litellm.suppress_debug_info = True
BASE = {"api_base": os.environ["OPENAI_BASE_URL"]}


def named(model):
    return {"model": f"openai/{model}", **BASE}


CHAT = named(MODELS["chat"])


def ask(prompt, model=MODELS["chat"], is_spent=False, **more):
    reply = litellm.completion(
        messages=user_says(prompt), api_key=key_of(is_spent), **named(model), **more
    )
    return shown_of(reply.model_dump())


def streamed(messages, **more):
    """The whole completion, when its stream has ended."""
    chunks = litellm.completion(messages=messages, stream=True, **CHAT, **more)
    return litellm.stream_chunk_builder(list(chunks), messages=messages)


def stream(prompt):
    whole = streamed(user_says(prompt), stream_options={"include_usage": True})
    return shown_of(whole.model_dump())


async def stream_in_a_loop():
    said = ""
    chunks = await litellm.acompletion(messages=user_says(saying()), stream=True, **CHAT)
    async for chunk in chunks:
        said += chunk.choices[0].delta.content or ""
    assert said == SAID, said


def read_object():
    reply = litellm.completion(
        messages=user_says(writing_weather()), response_format=Weather, **CHAT
    )
    return Weather.model_validate_json(reply.choices[0].message.content)


def use_tools(prompt, get_weather, is_streamed):
    tools = [{"type": "function", "function": WEATHER_FUNCTION}]

    def complete(messages):
        return streamed(messages, tools=tools).choices[0].message.model_dump()

    return answer_calls(prompt, get_weather, complete)


def embed(texts):
    reply = litellm.embedding(input=texts, **named(MODELS["embedding"]))
    return [one["embedding"] for one in reply.data]


def draw(prompt):
    reply = litellm.image_generation(prompt=prompt, **named(MODELS["image"]))
    with urllib.request.urlopen(reply.data[0].url) as picture:
        return picture.read()


def moderation():
    reply = litellm.moderation(input=RUDE, model="omni-moderation-latest", **BASE)
    assert reply.results[0].flagged is True, reply


drive(
    ["litellm"],
    features_of(
        ask=ask,
        stream=stream,
        objects=[read_object],
        use_tools=use_tools,
        embed=embed,
        draw=draw,
        speak=lambda text: litellm.speech(
            voice="alloy", input=text, **named(MODELS["speech"])
        ).content,
        hear=lambda file: litellm.transcription(file=file, **named(MODELS["transcription"])).text,
        ask_guarded=lambda prompt, moderation: ask(prompt, extra_body={"moderation": moderation}),
        own={"stream": stream_in_a_loop, "moderation": moderation},
    ),
)
