# LangChain for OpenAI in Python, with its moderation middleware.
import sys
from functools import reduce
from operator import add

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_openai.middleware import OpenAIModerationMiddleware

from drive import MODELS, RUDE, SAID, drive, key_of, saying, times_asked, user_says
from features import Weather, calling_weather, features_of, writing_weather

IS_RESPONSES = "responses" in sys.argv


def chat(model=MODELS["chat"], is_spent=False, **more):
    return ChatOpenAI(
        model=model,
        api_key=key_of(is_spent),
        stream_usage=True,
        use_responses_api=IS_RESPONSES,
        **more,
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


async def stream_in_a_loop():
    said = ""
    async for chunk in chat().astream(saying()):
        said += chunk.text
    assert said == SAID, said


def read_object(method, prompt_of):
    return lambda: chat().with_structured_output(Weather, method=method).invoke(prompt_of())


def answer_of(agent, prompt):
    """The last text of an agent's answer."""
    return agent.invoke({"messages": user_says(prompt)})["messages"][-1].text


def use_tools(prompt, get_weather, is_streamed):
    agent = create_agent(chat(streaming=is_streamed), tools=[tool(get_weather)])
    return answer_of(agent, prompt)


def embed(texts):
    # Else it sends token ids, which it makes with a table that it loads from elsewhere.
    model = OpenAIEmbeddings(model=MODELS["embedding"], check_embedding_ctx_length=False)
    return model.embed_documents(texts)


def moderation():
    agent = create_agent(chat(), middleware=[OpenAIModerationMiddleware()])
    assert answer_of(agent, saying()) == SAID
    prompt = f"{RUDE} {saying()}"
    assert "flagged" in answer_of(agent, prompt)
    assert times_asked(prompt, "openai") == 0
    # The answer is checked too.
    assert "flagged" in answer_of(agent, saying(RUDE))


drive(
    ["langchain-openai", "langchain"],
    features_of(
        ask=ask,
        stream=lambda prompt: shown_of(reduce(add, chat().stream(prompt))),
        objects=[
            read_object("json_schema", writing_weather),
            read_object("json_mode", writing_weather),
            read_object("function_calling", calling_weather),
        ],
        use_tools=use_tools,
        embed=embed,
        ask_guarded=lambda prompt, moderation: ask(prompt, extra_body={"moderation": moderation}),
        own={"stream": stream_in_a_loop, "moderation": moderation},
    ),
)
