# Pydantic AI, with its model for OpenAI's chat completions.
import os
import sys

from pydantic_ai import Agent, Embedder, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.exceptions import ContentFilterError, OutputTokenLimitExceeded
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from drive import MODELS, drive, key_of, waited
from features import Weather, calling_weather, features_of, writing_weather

Model = OpenAIResponsesModel if "responses" in sys.argv else OpenAIChatModel


def provider(is_spent=False):
    return OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key=key_of(is_spent))


def agent(model=MODELS["chat"], is_spent=False, **more):
    return Agent(Model(model, provider=provider(is_spent)), **more)


def shown_of(said, finish, usage):
    return {
        "text": said,
        "finish": finish,
        "usage": [usage.input_tokens, usage.output_tokens],
        "reasoning": usage.details.get("reasoning_tokens"),
    }


def ask(prompt, settings=None, **options):
    try:
        result = waited(agent(**options).run(prompt, model_settings=settings))
    except OutputTokenLimitExceeded:
        return {"text": "", "finish": "length"}
    except ContentFilterError as error:
        assert "content_filter" in str(error), error
        return {"text": "", "finish": "content_filter"}
    return shown_of(result.output, result.response.finish_reason, result.usage)


def ask_guarded(prompt, moderation):
    return ask(prompt, settings={"extra_body": {"moderation": moderation}})


async def streamed_by(one, prompt):
    said = ""
    async with one.run_stream(prompt) as result:
        async for piece in result.stream_text(delta=True):
            said += piece
        return shown_of(said, result.response.finish_reason, result.usage)


def stream(prompt):
    return waited(streamed_by(agent(), prompt))


def read_object(output, prompt_of):
    async def read():
        return (await agent(output_type=output).run(prompt_of())).output

    return read


async def use_tools(prompt, get_weather, is_streamed):
    one = agent()
    one.tool_plain(get_weather)
    if is_streamed:
        return (await streamed_by(one, prompt))["text"]
    return (await one.run(prompt)).output


def embed(texts):
    embedder = Embedder(OpenAIEmbeddingModel(MODELS["embedding"], provider=provider()))
    return waited(embedder.embed_documents(texts)).embeddings


drive(
    ["pydantic-ai-slim"],
    features_of(
        ask=ask,
        stream=stream,
        objects=[
            read_object(ToolOutput(Weather), lambda: calling_weather("final_result")),
            read_object(NativeOutput(Weather), writing_weather),
            read_object(PromptedOutput(Weather), writing_weather),
        ],
        use_tools=use_tools,
        embed=embed,
        ask_guarded=ask_guarded,
    ),
)
