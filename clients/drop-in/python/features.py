# The features that a client is tried in, and what each must give: see node/features.mjs. The client's
# program says only how it does each of them.
import io
import json
import wave

from pydantic import BaseModel

from drive import (
    EXPECTED, HEARD, RUDE, SAID, asking_for_weather, calling, quote, saying, scripted, times_asked, user_says,
    waited,
)


class Place(BaseModel):
    city: str
    country: str | None


class Weather(BaseModel):
    """The weather in a city."""

    place: Place
    degrees: float


WEATHER = Weather(place=Place(city="Paris", country=None), degrees=24)

# The tool as the wire has it.
WEATHER_FUNCTION = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}

# A guard that withholds a prompt that was flagged.
MODERATION = {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}}}


def writing_weather():
    """The engine writes the object."""
    return saying(WEATHER.model_dump_json())


def calling_weather(name="Weather"):
    """The engine calls a tool whose arguments are the object."""
    return scripted(calling(name, WEATHER.model_dump()))


def assert_weather(found):
    """Some clients make a class of ours, with methods of their own."""
    assert isinstance(found, Weather), found
    assert found.model_dump() == WEATHER.model_dump(), found


def texts(count):
    return ["x" * (at + 1) for at in range(count)]


def recording():
    """A second of silence."""
    file = io.BytesIO()
    file.name = "talk.wav"
    with wave.open(file, "wb") as talk:
        talk.setnchannels(1)
        talk.setsampwidth(2)
        talk.setframerate(8000)
        talk.writeframes(bytes(16000))
    file.seek(0)
    return file


def shown_of(reply):
    """What is shown of an answer in the form of chat completions, as a dict."""
    choice, usage = reply["choices"][0], reply.get("usage")
    details = usage and usage.get("completion_tokens_details")
    return {
        "text": choice["message"]["content"] or "",
        "finish": choice["finish_reason"],
        "usage": usage and [usage["prompt_tokens"], usage["completion_tokens"]],
        "reasoning": details and details["reasoning_tokens"],
    }


def answer_calls(prompt, get_weather, complete):
    """Answers the calls of tools as the wire has them. `complete` gives the message for messages."""
    messages = user_says(prompt)
    while (message := complete(messages)).get("tool_calls"):
        messages.append(message)
        for call in message["tool_calls"]:
            output = get_weather(**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": output})
    return message["content"]


def assert_tools(use_tools, service="openai", more=""):
    """The engine is asked three times: it calls the tool twice, and then answers."""
    cities = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "24 degrees"

    prompt = asking_for_weather(more)
    said = waited(use_tools(prompt, get_weather, more != ""))
    assert (said, cities) == (SAID, ["Paris", "Rome"]), (said, cities)
    assert times_asked(prompt, service) == 3


def shown_or_error(use):
    """What this shows, or throws: an error of the client, and no slip of its code."""
    try:
        return use(), None
    except (TypeError, AttributeError, KeyError, IndexError, AssertionError):
        raise
    except Exception as error:
        return None, error


def refused(use):
    """What this throws."""
    shown, error = shown_or_error(use)
    assert error is not None, f"It was not refused: {shown}"
    return error


def assert_errors(ask, status_of, service="openai"):
    """
    A model that is not there, an answer that the engine refuses to give, a quota that is used up.
    `ask(prompt, model=…, is_spent=…)`; `status_of` an error.
    """

    def failing(status, word, prompt, **options):
        error = refused(lambda: ask(prompt, **options))
        assert status_of(error) == status, repr(error)
        assert word in str(error), repr(error)

    failing(404, "no-such-model", saying(), model="no-such-model")
    prompt = scripted("400")
    failing(400, "Scripted" if service == "openai" else "error code: 1105", prompt)
    assert times_asked(prompt, service) == 1
    failing(429, "neurons", saying(), is_spent=True)


def odd_answers(ask, stream):
    """The odd answers of the engine."""
    text = f"text={quote(SAID)}"

    def use_of(odd):
        def use():
            prompt = scripted(f"{text}&{odd['behaviour']}")
            answer = stream if odd.get("streamed") else ask
            if odd.get("fails"):
                refused(lambda: answer(prompt))
                return
            if odd.get("mayFail"):
                shown, error = shown_or_error(lambda: answer(prompt))
                if error is not None:
                    return
            else:
                shown = answer(prompt)
            assert isinstance(shown["text"], str), shown
            expected = {"text": SAID}
            expected.update({k: v for k, v in odd.items() if k in ("text", "finish", "usage", "reasoning")})
            for field, value in expected.items():
                if shown.get(field) is not None:
                    assert shown[field] == value, (field, shown[field], value)

        return use

    return [(odd["name"], use_of(odd)) for odd in EXPECTED["odd"]]


def assert_said(shown, fields):
    expected = {"text": SAID, "finish": "stop", "usage": [12, 5]}
    for field in fields:
        assert shown[field] == expected[field], (field, shown)


def assert_vectors(vectors, asked):
    """The engine's vectors begin with the length of the text."""
    assert [vector[0] for vector in vectors] == [len(text) for text in asked], vectors


def assert_picture(picture, service):
    """OpenAI's service gives a PNG, Cloudflare's a JPEG."""
    assert picture.startswith(b"\x89PNG" if service == "openai" else b"\xff\xd8\xff"), picture


def assert_spoken(sound):
    assert len(sound) > 400, sound


def assert_heard(text):
    assert text == HEARD, text


def assert_guarded(ask_guarded, service):
    prompt = f"{RUDE} {saying()}"
    shown = ask_guarded(prompt, MODERATION)
    assert (shown["text"], shown["finish"]) == ("", "content_filter"), shown
    assert times_asked(prompt, service) == 0


def status_code_of(error):
    return getattr(error, "status_code", None)


def in_turn(uses):
    def use():
        for one in uses:
            waited(one())

    return use


def features_of(
    *, ask, stream, status_of=status_code_of, service="openai", shows=("text", "finish", "usage"),
    shows_streamed=None, objects=None, use_tools=None, embed=None, draw=None, speak=None, hear=None,
    ask_guarded=None, own=None,
):
    """
    The features of a client, to be driven. It gives a function for each that it has.

    `ask(prompt, model=…, is_spent=…)`, `stream(prompt)` and `ask_guarded(prompt, moderation)` return what
    it shows of an answer: a dict of `text`, `finish` in the words of chat completions, `usage` (tokens of
    the prompt and of the answer) and `reasoning` (tokens). What it does not show is missing or None; of
    each answer it shows `shows`, or `shows_streamed`.
    `status_of` what it throws; `service`: "openai" or "cloudflare".
    `objects`: each of these functions reads the object that the engine writes.
    `use_tools(prompt, get_weather, is_streamed)` and `hear(recording)` return a text, `embed(texts)`
    vectors, `draw(prompt)` and `speak(text)` bytes.
    `own`: by the feature, what else it can do there.
    The functions of `objects` and `own`, and `use_tools`, may be coroutine functions.
    """
    checks = {
        "text": lambda: assert_said(ask(saying()), shows),
        "stream": lambda: assert_said(stream(saying()), shows_streamed or shows),
        "objects": objects and (lambda: [assert_weather(waited(read())) for read in objects]),
        "tools": use_tools
        and (lambda: [assert_tools(use_tools, service, more) for more in ("", "&no_ids")]),
        "embeddings": embed and (lambda: assert_vectors(embed(texts(150)), texts(150))),
        "images": draw and (lambda: assert_picture(draw("A red boat"), service)),
        "speech": speak and (lambda: assert_spoken(speak("Hello"))),
        "transcription": hear and (lambda: assert_heard(hear(recording()))),
        "guard": ask_guarded and (lambda: assert_guarded(ask_guarded, service)),
        "errors": lambda: assert_errors(ask, status_of, service),
    }
    uses = {}
    for feature in [*checks, *(own or {})]:
        all_uses = [use for use in (checks.get(feature), (own or {}).get(feature)) if use]
        if all_uses:
            uses[feature] = in_turn(all_uses)
    return {**uses, "odd": odd_answers(ask, stream)}
