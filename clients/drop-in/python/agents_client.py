# OpenAI's Agents SDK in Python, with its two models and a guardrail.
import sys

from agents import (
    Agent, GuardrailFunctionOutput, InputGuardrailTripwireTriggered, ModelBehaviorError,
    ModelRefusalError, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner,
    function_tool, input_guardrail, set_tracing_disabled,
)
from openai import AsyncOpenAI

from drive import MODELS, RUDE, SAID, drive, key_of, saying, waited
from features import Weather, features_of, writing_weather

# Traces go to OpenAI's own service.
set_tracing_disabled(True)
client = AsyncOpenAI()
Model = OpenAIResponsesModel if "responses" in sys.argv else OpenAIChatCompletionsModel


def agent(model=MODELS["chat"], is_spent=False, settings=None, **more):
    one = AsyncOpenAI(api_key=key_of(is_spent)) if is_spent else client
    return Agent(
        name="Assistant",
        instructions="Be brief.",
        model=Model(model=model, openai_client=one),
        model_settings=ModelSettings(include_usage=True, **(settings or {})),
        **more,
    )


def shown_of(result):
    usage = result.context_wrapper.usage
    return {
        "text": result.final_output or "",
        "usage": [usage.input_tokens, usage.output_tokens],
        "reasoning": usage.output_tokens_details.reasoning_tokens,
    }


def ask(prompt, **options):
    try:
        return shown_of(waited(Runner.run(agent(**options), prompt, max_turns=1)))
    except (ModelRefusalError, ModelBehaviorError) as error:
        return {"text": "", "finish": reason_in(str(error))}


def ask_guarded(prompt, moderation):
    return ask(prompt, settings={"extra_body": {"moderation": moderation}})


def reason_in(message):
    """Why there is no answer: each of the two models says it in words of its own."""
    for reason in ["content_filter", "content filter"]:
        if reason in message:
            return "content_filter"
    for reason in ["finish_reason='length'", "max_output_tokens"]:
        if reason in message:
            return "length"
    return message


async def streamed_by(one, prompt):
    result, said = Runner.run_streamed(one, prompt), ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            said += event.data.delta
    return result, said


def stream(prompt):
    result, said = waited(streamed_by(agent(), prompt))
    assert said == shown_of(result)["text"], said
    return shown_of(result)


async def read_object():
    return (await Runner.run(agent(output_type=Weather), writing_weather())).final_output


async def use_tools(prompt, get_weather, is_streamed):
    one = agent(tools=[function_tool(get_weather)])
    if is_streamed:
        result, _ = await streamed_by(one, prompt)
    else:
        result = await Runner.run(one, prompt)
    return result.final_output


@input_guardrail
async def is_polite(_context, _agent, said):
    reply = await client.moderations.create(input=said)
    result = reply.results[0]
    return GuardrailFunctionOutput(output_info=result, tripwire_triggered=result.flagged)


async def moderation():
    guarded = agent(input_guardrails=[is_polite])
    assert (await Runner.run(guarded, saying())).final_output == SAID
    try:
        await Runner.run(guarded, f"{RUDE} {saying()}")
    except InputGuardrailTripwireTriggered as stop:
        assert stop.guardrail_result.output.output_info.flagged is True
    else:
        raise AssertionError("the guardrail let it through")


drive(
    ["openai-agents"],
    features_of(
        ask=ask,
        stream=stream,
        shows=["text", "usage"],
        objects=[read_object],
        use_tools=use_tools,
        ask_guarded=ask_guarded,
        own={"moderation": moderation},
    ),
)
