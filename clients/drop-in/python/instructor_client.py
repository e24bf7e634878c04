# Instructor, which makes objects of answers, over the official client.
import os

import instructor
from openai import OpenAI
from pydantic import BaseModel

from drive import MODELS, assert_errors, calling, drive, quote, saying, scripted


class Place(BaseModel):
    city: str
    country: str | None


class Weather(BaseModel):
    place: Place
    degrees: float


WEATHER = Weather(place=Place(city="Paris", country=None), degrees=24)
WRITTEN = WEATHER.model_dump_json()
CALLED = calling("Weather", WEATHER.model_dump())


def assert_weather(found):
    """The object is of a class that the client has made of ours."""
    assert found.model_dump() == WEATHER.model_dump(), found


def ask(prompt, model=MODELS["chat"], is_spent=False, mode=instructor.Mode.JSON, **more):
    key = os.environ["SPENT_API_KEY" if is_spent else "OPENAI_API_KEY"]
    client = instructor.from_openai(OpenAI(api_key=key), mode=mode)
    return client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": prompt}],
        response_model=Weather,
        **more,
    )


def objects():
    for mode, prompt in [
        (instructor.Mode.TOOLS, scripted(CALLED)),
        (instructor.Mode.JSON, saying(WRITTEN)),
        (instructor.Mode.JSON_SCHEMA, saying(WRITTEN)),
        (instructor.Mode.MD_JSON, saying(f"```json\n{WRITTEN}\n```")),
    ]:
        assert_weather(ask(prompt, mode=mode))
    # It tells the model what was wrong with a first answer.
    second = scripted(f"text=%7B%7D&usage=12/5,text={quote(WRITTEN)}&usage=12/5")
    assert_weather(ask(second, max_retries=2))


def tools():
    # A call that is wrong is answered as a tool answers, and made again.
    wrong = calling("Weather", {"degrees": "warm"})
    assert_weather(ask(scripted(f"{wrong},{CALLED}"), mode=instructor.Mode.TOOLS, max_retries=2))


def stream():
    client = instructor.from_openai(OpenAI(), mode=instructor.Mode.TOOLS)
    partial = None
    for partial in client.chat.completions.create_partial(
        model=MODELS["chat"],
        messages=[{"role": "user", "content": scripted(CALLED)}],
        response_model=Weather,
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


def errors():
    assert_errors(ask, status_of)


drive(
    ["instructor"],
    {"stream": stream, "objects": objects, "tools": tools, "errors": errors},
)
