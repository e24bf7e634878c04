# LangChain for Cloudflare in Python, at the address of the models and at OpenAI's one beside it.
import os

from langchain.agents import create_agent
from langchain_cloudflare import ChatCloudflareWorkersAI, CloudflareWorkersAIEmbeddings
from langchain_core.tools import tool
from pydantic import BaseModel

from drive import (
    MODELS, SAID, asking_for_weather, assert_errors, assert_vectors, calling, drive, odd_answers,
    saying, scripted, texts,
)

BASE_URL = os.environ["CLOUDFLARE_BASE_URL"]
FORMATS = ["openai_compatible", "workers_ai"]


def chat(model=MODELS["chat"], is_spent=False, **more):
    prefix = "SPENT" if is_spent else "CLOUDFLARE"
    return ChatCloudflareWorkersAI(
        model=model,
        account_id=os.environ[f"{prefix}_ACCOUNT_ID"],
        api_token=os.environ[f"{prefix}_API_TOKEN"],
        base_url=BASE_URL,
        **more,
    )


def shown_of(message):
    usage = message.usage_metadata
    return {
        # Of a model that thinks, `content` is a list of parts.
        "text": message.text,
        "finish": message.response_metadata.get("finish_reason"),
        "usage": usage and [usage["input_tokens"], usage["output_tokens"]],
    }


def ask(prompt, **options):
    return shown_of(chat(**options).invoke(prompt))


def whole_stream(model, prompt):
    whole = None
    for chunk in model.stream(prompt):
        whole = chunk if whole is None else whole + chunk
    return whole


def stream(prompt):
    return {"text": whole_stream(chat(), prompt).text}


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


WEATHER = Weather(city="Paris", degrees=24)


def text():
    for model in [MODELS["chat"], MODELS["older_chat"]]:
        assert ask(saying(), model=model)["text"] == SAID, model


async def streamed():
    # The models whose streams this client reads in ways of their own.
    for model in [
        MODELS["chat"],
        MODELS["older_chat"],
        "@cf/openai/gpt-oss-20b",
        "@cf/qwen/qwen3-30b-a3b-fp8",
        "@cf/moonshotai/kimi-k2.6",
        "@cf/meta/llama-4-scout-17b-16e-instruct",
        "@cf/mistralai/mistral-small-3.1-24b-instruct",
    ]:
        said = whole_stream(chat(model), saying()).content
        assert said == SAID, (model, said)
        said = ""
        async for chunk in chat(model).astream(saying()):
            said += chunk.content
        assert said == SAID, (model, said)


def objects():
    for method, prompt in [
        ("json_schema", saying(WEATHER.model_dump_json())),
        ("function_calling", scripted(calling("Weather", WEATHER.model_dump()))),
    ]:
        model = chat().with_structured_output(Weather, method=method)
        assert model.invoke(prompt) == WEATHER, method


def tools():
    cities = []

    @tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "24 degrees"

    agent = create_agent(chat(), tools=[get_weather])
    done = agent.invoke({"messages": [{"role": "user", "content": asking_for_weather()}]})
    said = done["messages"][-1].content
    assert (said, cities) == (SAID, ["Paris", "Rome"]), (said, cities)


def embeddings():
    model = CloudflareWorkersAIEmbeddings(
        model_name=MODELS["embedding"],
        account_id=os.environ["CLOUDFLARE_ACCOUNT_ID"],
        api_token=os.environ["CLOUDFLARE_API_TOKEN"],
        api_base_url=f"{BASE_URL}/accounts",
    )
    assert_vectors(model.embed_documents(texts(150)), 150)


def errors():
    assert_errors(
        ask,
        lambda error: error.response.status_code if hasattr(error, "response") else None,
        "CLOUDFLARE_UPSTREAM_URL",
    )


drive(
    ["langchain-cloudflare"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "embeddings": embeddings,
        "errors": errors,
        "odd": odd_answers(ask, stream),
    },
)
