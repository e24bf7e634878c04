# Pydantic AI, with its model for OpenAI's chat completions.
import os
import sys

from pydantic import BaseModel
from pydantic_ai import Agent, Embedder, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.exceptions import ContentFilterError, OutputTokenLimitExceeded
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from drive import (
    MODELS, RUDE, SAID, asking_for_weather, assert_errors, assert_vectors, calling, drive,
    odd_answers, saying, scripted, texts, times_asked, waited,
)


Model = OpenAIResponsesModel if "responses" in sys.argv else OpenAIChatModel


def provider(is_spent=False):
    key = os.environ["SPENT_API_KEY" if is_spent else "OPENAI_API_KEY"]
    return OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key=key)


def agent(model=MODELS["chat"], is_spent=False, **more):
    return Agent(Model(model, provider=provider(is_spent)), **more)


def shown_of(said, finish, usage):
    return {
        "text": said,
        "finish": finish,
        "usage": [usage.input_tokens, usage.output_tokens],
        "reasoning": usage.details.get("reasoning_tokens"),
    }


def ask(prompt, **options):
    try:
        result = waited(agent(**options).run(prompt))
    except OutputTokenLimitExceeded:
        return {"text": "", "finish": "length"}
    except ContentFilterError:
        return {"text": "", "finish": "content_filter"}
    return shown_of(result.output, result.response.finish_reason, result.usage)


async def streamed_by(one, prompt):
    said = ""
    async with one.run_stream(prompt) as result:
        async for piece in result.stream_text(delta=True):
            said += piece
        return shown_of(said, result.response.finish_reason, result.usage)


def stream(prompt):
    return waited(streamed_by(agent(), prompt))


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


def streamed():
    shown = stream(saying())
    assert (shown["text"], shown["usage"]) == (SAID, [12, 5]), shown


async def objects():
    written = saying(WEATHER.model_dump_json())
    called = scripted(calling("final_result", WEATHER.model_dump()))
    for output, prompt in [
        (ToolOutput(Weather), called),
        (NativeOutput(Weather), written),
        (PromptedOutput(Weather), written),
    ]:
        result = await agent(output_type=output).run(prompt)
        assert result.output == WEATHER, output


async def tools():
    for more in ["", "&no_ids"]:
        one, cities = agent(), []

        @one.tool_plain
        def get_weather(city: str) -> str:
            """The weather in a city."""
            cities.append(city)
            return "24 degrees"

        prompt = asking_for_weather(more)
        if more == "":
            said = (await one.run(prompt)).output
        else:
            said = (await streamed_by(one, prompt))["text"]
        assert (said, cities) == (SAID, ["Paris", "Rome"]), (said, cities)


async def embeddings():
    embedder = Embedder(OpenAIEmbeddingModel(MODELS["embedding"], provider=provider()))
    result = await embedder.embed_documents(texts(150))
    assert_vectors(result.embeddings, 150)


async def guard():
    moderation = {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}}}
    prompt = f"{RUDE} {saying()}"
    settings = {"extra_body": {"moderation": moderation}}
    try:
        await agent().run(prompt, model_settings=settings)
    except ContentFilterError as error:
        assert "content_filter" in str(error), error
    else:
        raise AssertionError("the guard let it through")
    assert times_asked(prompt) == 0


def errors():
    assert_errors(ask, lambda error: getattr(error, "status_code", None))


drive(
    ["pydantic-ai-slim"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "embeddings": embeddings,
        "guard": guard,
        "errors": errors,
        "odd": odd_answers(ask, stream),
    },
)
