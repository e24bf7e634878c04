# LangChain for OpenAI in Python, with its moderation middleware.
import os
import sys

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_openai.middleware import OpenAIModerationMiddleware
from pydantic import BaseModel

from drive import (
    MODELS, RUDE, SAID, asking_for_weather, assert_errors, assert_vectors, calling, drive,
    odd_answers, saying, scripted, texts, times_asked,
)


IS_RESPONSES = "responses" in sys.argv


def chat(model=MODELS["chat"], is_spent=False, **more):
    key = os.environ["SPENT_API_KEY" if is_spent else "OPENAI_API_KEY"]
    return ChatOpenAI(
        model=model, api_key=key, stream_usage=True, use_responses_api=IS_RESPONSES, **more
    )


def finish_in(metadata):
    """Of a response: why it is incomplete, in the words of chats."""
    if not IS_RESPONSES:
        return metadata.get("finish_reason")
    details, status = metadata.get("incomplete_details"), metadata.get("status")
    reason = details["reason"] if details else "stop" if status == "completed" else status
    return "length" if reason == "max_output_tokens" else reason


def shown_of(message):
    usage = message.usage_metadata
    return {
        "text": message.text,
        "finish": finish_in(message.response_metadata),
        "usage": usage and [usage["input_tokens"], usage["output_tokens"]],
        "reasoning": usage and usage.get("output_token_details", {}).get("reasoning"),
    }


def ask(prompt, **options):
    return shown_of(chat(**options).invoke(prompt))


def stream(prompt):
    whole = None
    for chunk in chat().stream(prompt):
        whole = chunk if whole is None else whole + chunk
    return shown_of(whole)


class Weather(BaseModel):
    city: str
    degrees: float
    note: str | None


WEATHER = Weather(city="Paris", degrees=24, note=None)


def user_says(content):
    return {"messages": [{"role": "user", "content": content}]}


def last_of(state):
    return state["messages"][-1].text


def text():
    shown = ask(saying())
    assert (shown["text"], shown["finish"], shown["usage"]) == (SAID, "stop", [12, 5]), shown


async def streamed():
    said = ""
    async for chunk in chat().astream(saying()):
        said += chunk.text
    assert said == SAID, said
    assert stream(saying())["usage"] == [12, 5]


def objects():
    written = WEATHER.model_dump_json()
    for method, prompt in [
        ("json_schema", saying(written)),
        ("json_mode", saying(written)),
        ("function_calling", scripted(calling("Weather", WEATHER.model_dump()))),
    ]:
        model = chat().with_structured_output(Weather, method=method)
        assert model.invoke(prompt) == WEATHER, method


def tools():
    for more in ["", "&no_ids"]:
        cities = []

        @tool
        def get_weather(city: str) -> str:
            """The weather in a city."""
            cities.append(city)
            return "24 degrees"

        agent = create_agent(chat(streaming=more != ""), tools=[get_weather])
        done = agent.invoke(user_says(asking_for_weather(more)))
        assert (last_of(done), cities) == (SAID, ["Paris", "Rome"]), (last_of(done), cities)


def embeddings():
    # Else it sends token ids, which it makes with a table that it loads from elsewhere.
    model = OpenAIEmbeddings(model=MODELS["embedding"], check_embedding_ctx_length=False)
    assert_vectors(model.embed_documents(texts(150)), 150)


def moderation():
    agent = create_agent(chat(), middleware=[OpenAIModerationMiddleware()])
    assert last_of(agent.invoke(user_says(saying()))) == SAID
    prompt = f"{RUDE} {saying()}"
    assert "flagged" in last_of(agent.invoke(user_says(prompt)))
    assert times_asked(prompt) == 0
    # The answer is checked too.
    assert "flagged" in last_of(agent.invoke(user_says(saying(RUDE))))


def guard():
    moderation = {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}}}
    shown = shown_of(chat(extra_body={"moderation": moderation}).invoke(f"{RUDE} {saying()}"))
    assert (shown["text"], shown["finish"]) == ("", "content_filter"), shown


def errors():
    assert_errors(ask, lambda error: getattr(error, "status_code", None))


drive(
    ["langchain-openai", "langchain"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "embeddings": embeddings,
        "moderation": moderation,
        "guard": guard,
        "errors": errors,
        "odd": odd_answers(ask, stream),
    },
)
