# The official client for Python. It reads its base URL and its key from the environment itself.
import base64
import json
import os

from openai import APIStatusError, AsyncOpenAI, NotFoundError, OpenAI
from pydantic import BaseModel

from drive import (
    HEARD, MODELS, RUDE, SAID, asking_for_weather, assert_errors, assert_vectors, drive,
    odd_answers, recording, saying, texts,
)

client = OpenAI()


def user_says(content):
    return [{"role": "user", "content": content}]


def shown_of(text, finish, usage):
    shown = {"text": text or "", "finish": finish}
    if usage is not None:
        shown["usage"] = [usage.prompt_tokens, usage.completion_tokens]
        details = usage.completion_tokens_details
        shown["reasoning"] = details and details.reasoning_tokens
    return shown


def ask(prompt, model=MODELS["chat"], is_spent=False):
    one = OpenAI(api_key=os.environ["SPENT_API_KEY"]) if is_spent else client
    reply = one.chat.completions.create(model=model, messages=user_says(prompt))
    choice = reply.choices[0]
    return shown_of(choice.message.content, choice.finish_reason, reply.usage)


def stream(prompt):
    asking = client.chat.completions.stream(
        model=MODELS["chat"],
        messages=user_says(prompt),
        stream_options={"include_usage": True},
    )
    with asking as events:
        for _ in events:
            pass
        whole = events.get_final_completion()
    choice = whole.choices[0]
    return shown_of(choice.message.content, choice.finish_reason, whole.usage)


class Place(BaseModel):
    city: str
    country: str | None


class Weather(BaseModel):
    place: Place
    degrees: float


WEATHER = Weather(place=Place(city="Paris", country=None), degrees=24)


def text():
    shown = ask(saying())
    assert (shown["text"], shown["finish"], shown["usage"]) == (SAID, "stop", [12, 5]), shown


async def streamed():
    said = ""
    asking = AsyncOpenAI().chat.completions.create(
        model=MODELS["chat"], messages=user_says(saying()), stream=True
    )
    async for chunk in await asking:
        if chunk.choices:
            said += chunk.choices[0].delta.content or ""
    assert said == SAID, said


def objects():
    reply = client.chat.completions.parse(
        model=MODELS["chat"],
        messages=user_says(saying(WEATHER.model_dump_json())),
        response_format=Weather,
    )
    assert reply.choices[0].message.parsed == WEATHER, reply


def tools():
    function = {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    for more in ["", "&no_ids"]:
        messages, cities = user_says(asking_for_weather(more)), []
        for _ in range(3):
            asking = client.chat.completions.stream(
                model=MODELS["chat"],
                messages=messages,
                tools=[{"type": "function", "function": function}],
            )
            with asking as events:
                for _ in events:
                    pass
                message = events.get_final_completion().choices[0].message
            if not message.tool_calls:
                break
            # As it came, with null in what it does not have.
            messages.append(message.model_dump())
            for call in message.tool_calls:
                cities.append(json.loads(call.function.arguments)["city"])
                messages.append({"role": "tool", "tool_call_id": call.id, "content": "24 degrees"})
        assert (message.content, cities) == (SAID, ["Paris", "Rome"]), (message, cities)


def responses():
    model = MODELS["chat"]
    said = ""
    with client.responses.stream(model=model, input=saying()) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                said += event.delta
        whole = events.get_final_response()
    assert (said, whole.output_text, whole.usage.output_tokens) == (SAID, SAID, 5), whole
    written = saying(WEATHER.model_dump_json())
    parsed = client.responses.parse(model=model, input=written, text_format=Weather)
    assert parsed.output_parsed == WEATHER, parsed
    last, cities = ask_over_kept_turns(model)
    assert (last.output_text, cities) == (SAID, ["Paris", "Rome"]), (last, cities)
    assert client.responses.retrieve(last.id).output_text == SAID
    client.responses.delete(last.id)
    try:
        client.responses.retrieve(last.id)
    except NotFoundError:
        return
    raise AssertionError("it is still there")


def ask_over_kept_turns(model):
    """Each call has only what is new, and the id of the response before it."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "name": "get_weather", "parameters": parameters, "strict": False}
    cities = []
    last = client.responses.create(model=model, tools=[tool], input=asking_for_weather())
    while calls := [item for item in last.output if item.type == "function_call"]:
        cities += [json.loads(call.arguments)["city"] for call in calls]
        outputs = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "24 degrees"}
            for call in calls
        ]
        last = client.responses.create(
            model=model, tools=[tool], input=outputs, previous_response_id=last.id
        )
    return last, cities


def embeddings():
    reply = client.embeddings.create(model=MODELS["embedding"], input=texts(150))
    assert_vectors([one.embedding for one in reply.data], 150)


def images():
    reply = client.images.generate(
        model=MODELS["image"], prompt="A red boat", size="1024x1024", response_format="b64_json"
    )
    assert base64.b64decode(reply.data[0].b64_json)[1:4] == b"PNG"


def speech():
    asking = client.audio.speech.with_streaming_response.create(
        model=MODELS["speech"], voice="alloy", input="Hello"
    )
    with asking as reply:
        assert len(reply.read()) > 400


def transcription():
    reply = client.audio.transcriptions.create(model=MODELS["transcription"], file=recording())
    assert reply.text == HEARD, reply


def moderation():
    results = client.moderations.create(input=[*texts(149), RUDE]).results
    assert [len(results), results[0].flagged, results[149].flagged] == [150, False, True]


def guard():
    reply = client.chat.completions.create(
        model=MODELS["chat"],
        messages=user_says(f"{RUDE} {saying()}"),
        extra_body={"moderation": {"model": "omni-moderation-latest"}},
    )
    assert reply.moderation.input.results[0].flagged is True, reply


def errors():
    assert_errors(ask, lambda error: error.status_code if isinstance(error, APIStatusError) else None)


drive(
    ["openai"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "responses": responses,
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
