# Instructor, which makes objects of answers, over the official client.
import instructor
from openai import OpenAI

from drive import MODELS, calling, drive, key_of, quote, saying, scripted, user_says
from features import (
    WEATHER, Weather, assert_errors, assert_weather, calling_weather, writing_weather,
)

WRITTEN = WEATHER.model_dump_json()


def ask(prompt, model=MODELS["chat"], is_spent=False, mode=instructor.Mode.JSON, **more):
    client = instructor.from_openai(OpenAI(api_key=key_of(is_spent)), mode=mode)
    return client.chat.completions.create(
        model=model, messages=user_says(prompt), response_model=Weather, **more
    )


def objects():
    for mode, prompt in [
        (instructor.Mode.TOOLS, calling_weather()),
        (instructor.Mode.JSON, writing_weather()),
        (instructor.Mode.JSON_SCHEMA, writing_weather()),
        (instructor.Mode.MD_JSON, saying(f"```json\n{WRITTEN}\n```")),
    ]:
        assert_weather(ask(prompt, mode=mode))
    # It tells the model what was wrong with a first answer.
    second = scripted(f"text=%7B%7D&usage=12/5,text={quote(WRITTEN)}&usage=12/5")
    assert_weather(ask(second, max_retries=2))


def tools():
    # A call that is wrong is answered as a tool answers, and made again.
    wrong, right = calling("Weather", {"degrees": "warm"}), calling("Weather", WEATHER.model_dump())
    assert_weather(ask(scripted(f"{wrong},{right}"), mode=instructor.Mode.TOOLS, max_retries=2))


def stream():
    client = instructor.from_openai(OpenAI(), mode=instructor.Mode.TOOLS)
    partial = None
    for partial in client.chat.completions.create_partial(
        model=MODELS["chat"], messages=user_says(calling_weather()), response_model=Weather
    ):
        pass
    assert_weather(partial)


def status_of(error):
    """It wraps what the official client threw."""
    while error is not None:
        if hasattr(error, "status_code"):
            return error.status_code
        error = error.__cause__ or error.__context__
    return None


drive(
    ["instructor"],
    {
        "stream": stream,
        "objects": objects,
        "tools": tools,
        "errors": lambda: assert_errors(ask, status_of),
    },
)
