# The official client for Python. It reads its base URL and its key from the environment itself.
import base64
import json

from openai import APIStatusError, AsyncOpenAI, NotFoundError, OpenAI

from drive import HEARD, MODELS, RUDE, SAID, drive, key_of, saying, user_says
from features import (
    WEATHER_FUNCTION, Weather, answer_calls, assert_tools, assert_weather, features_of, recording,
    shown_of, texts, writing_weather,
)

MODEL = MODELS["chat"]
client = OpenAI()


def ask(prompt, model=MODEL, is_spent=False):
    one = OpenAI(api_key=key_of(is_spent)) if is_spent else client
    reply = one.chat.completions.create(model=model, messages=user_says(prompt))
    return shown_of(reply.model_dump())


def streamed(messages, **more):
    """The whole completion, when its stream has ended."""
    with client.chat.completions.stream(model=MODEL, messages=messages, **more) as events:
        for _ in events:
            pass
        return events.get_final_completion()


def stream(prompt):
    whole = streamed(user_says(prompt), stream_options={"include_usage": True})
    return shown_of(whole.model_dump())


async def stream_raw():
    said = ""
    asking = AsyncOpenAI().chat.completions.create(
        model=MODEL, messages=user_says(saying()), stream=True
    )
    async for chunk in await asking:
        if chunk.choices:
            said += chunk.choices[0].delta.content or ""
    assert said == SAID, said


def read_object():
    reply = client.chat.completions.parse(
        model=MODEL, messages=user_says(writing_weather()), response_format=Weather
    )
    return reply.choices[0].message.parsed


def use_tools(prompt, get_weather, is_streamed):
    tools = [{"type": "function", "function": {**WEATHER_FUNCTION, "strict": True}}]

    def complete(messages):
        # As it came, with null in what it does not have.
        return streamed(messages, tools=tools).choices[0].message.model_dump()

    return answer_calls(prompt, get_weather, complete)


def ask_over_kept_turns(prompt, get_weather):
    """Each call has only what is new, and the id of the response before it."""
    tools = [{"type": "function", **WEATHER_FUNCTION, "strict": False}]
    last = client.responses.create(model=MODEL, tools=tools, input=prompt)
    while calls := [item for item in last.output if item.type == "function_call"]:
        outputs = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": get_weather(**json.loads(call.arguments)),
            }
            for call in calls
        ]
        last = client.responses.create(
            model=MODEL, tools=tools, input=outputs, previous_response_id=last.id
        )
    return last


def responses():
    said = ""
    with client.responses.stream(model=MODEL, input=saying()) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                said += event.delta
        whole = events.get_final_response()
    assert (said, whole.output_text, whole.usage.output_tokens) == (SAID, SAID, 5), whole
    parsed = client.responses.parse(model=MODEL, input=writing_weather(), text_format=Weather)
    assert_weather(parsed.output_parsed)
    kept = []

    def use_kept_turns(prompt, get_weather, is_streamed):
        kept.append(ask_over_kept_turns(prompt, get_weather))
        return kept[-1].output_text

    assert_tools(use_kept_turns)
    last = kept[-1].id
    assert client.responses.retrieve(last).output_text == SAID
    client.responses.delete(last)
    try:
        client.responses.retrieve(last)
    except NotFoundError:
        return
    raise AssertionError("it is still there")


def embed(all_texts):
    reply = client.embeddings.create(model=MODELS["embedding"], input=all_texts)
    return [one.embedding for one in reply.data]


def draw(prompt):
    reply = client.images.generate(
        model=MODELS["image"], prompt=prompt, size="1024x1024", response_format="b64_json"
    )
    return base64.b64decode(reply.data[0].b64_json)


def speak(text):
    asking = client.audio.speech.with_streaming_response.create(
        model=MODELS["speech"], voice="alloy", input=text
    )
    with asking as reply:
        return reply.read()


def hear(recording):
    reply = client.audio.transcriptions.create(model=MODELS["transcription"], file=recording)
    return reply.text


def hear_streamed():
    asking = client.audio.transcriptions.create(
        model=MODELS["transcription"], file=recording(), stream=True
    )
    said = whole = ""
    for event in asking:
        if event.type == "transcript.text.delta":
            said += event.delta
        if event.type == "transcript.text.done":
            whole = event.text
    assert (said, whole) == (HEARD, HEARD), (said, whole)


def moderation():
    results = client.moderations.create(input=[*texts(149), RUDE]).results
    assert [len(results), results[0].flagged, results[149].flagged] == [150, False, True]


def guard():
    reply = client.chat.completions.create(
        model=MODEL,
        messages=user_says(f"{RUDE} {saying()}"),
        extra_body={"moderation": {"model": "omni-moderation-latest"}},
    )
    assert reply.moderation.input.results[0].flagged is True, reply


drive(
    ["openai"],
    features_of(
        ask=ask,
        stream=stream,
        status_of=lambda error: error.status_code if isinstance(error, APIStatusError) else None,
        objects=[read_object],
        use_tools=use_tools,
        embed=embed,
        draw=draw,
        speak=speak,
        hear=hear,
        own={
            "stream": stream_raw,
            "responses": responses,
            "transcription": hear_streamed,
            "moderation": moderation,
            "guard": guard,
        },
    ),
)
