# LangChain for Cloudflare in Python, at the address of the models and at OpenAI's one beside it.
import os
from functools import reduce
from operator import add

from langchain.agents import create_agent
from langchain_cloudflare import ChatCloudflareWorkersAI, CloudflareWorkersAIEmbeddings
from langchain_core.tools import tool

from drive import MODELS, SAID, account_of, drive, saying, user_says
from features import Weather, calling_weather, features_of, writing_weather

BASE_URL = os.environ["CLOUDFLARE_BASE_URL"]

# The models whose streams this client reads in ways of their own.
STREAMED = [
    MODELS["chat"],
    MODELS["older_chat"],
    "@cf/openai/gpt-oss-20b",
    "@cf/qwen/qwen3-30b-a3b-fp8",
    "@cf/moonshotai/kimi-k2.6",
    "@cf/meta/llama-4-scout-17b-16e-instruct",
    "@cf/mistralai/mistral-small-3.1-24b-instruct",
]


def chat(model=MODELS["chat"], is_spent=False):
    account, token = account_of(is_spent)
    return ChatCloudflareWorkersAI(
        model=model, account_id=account, api_token=token, base_url=BASE_URL
    )


def ask(prompt, **options):
    message = chat(**options).invoke(prompt)
    usage = message.usage_metadata
    return {
        # Of a model that thinks, `content` is a list of parts.
        "text": message.text,
        "usage": usage and [usage["input_tokens"], usage["output_tokens"]],
    }


def ask_older():
    assert ask(saying(), model=MODELS["older_chat"])["text"] == SAID


def stream(prompt, model=MODELS["chat"]):
    return {"text": reduce(add, chat(model).stream(prompt)).text}


async def stream_each():
    for model in STREAMED:
        assert stream(saying(), model)["text"] == SAID, model
        said = ""
        async for chunk in chat(model).astream(saying()):
            said += chunk.content
        assert said == SAID, (model, said)


def read_object(method, prompt_of):
    return lambda: chat().with_structured_output(Weather, method=method).invoke(prompt_of())


def use_tools(prompt, get_weather, is_streamed):
    agent = create_agent(chat(), tools=[tool(get_weather)])
    return agent.invoke({"messages": user_says(prompt)})["messages"][-1].content


def embed(texts):
    account, token = account_of()
    model = CloudflareWorkersAIEmbeddings(
        model_name=MODELS["embedding"],
        account_id=account,
        api_token=token,
        api_base_url=f"{BASE_URL}/accounts",
    )
    return model.embed_documents(texts)


drive(
    ["langchain-cloudflare"],
    features_of(
        service="cloudflare",
        ask=ask,
        stream=stream,
        shows=["text", "usage"],
        shows_streamed=["text"],
        status_of=lambda error: error.response.status_code if hasattr(error, "response") else None,
        objects=[
            read_object("json_schema", writing_weather),
            read_object("function_calling", calling_weather),
        ],
        use_tools=use_tools,
        embed=embed,
        own={"text": ask_older, "stream": stream_each},
    ),
)
