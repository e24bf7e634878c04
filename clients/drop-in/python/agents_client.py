# OpenAI's Agents SDK in Python, with its model of chat completions and a guardrail.
import os
import sys

from agents import (
    Agent, GuardrailFunctionOutput, InputGuardrailTripwireTriggered,
    ModelBehaviorError, ModelRefusalError, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, input_guardrail, set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from drive import (
    MODELS, RUDE, SAID, asking_for_weather, assert_errors, drive, odd_answers, saying,
    times_asked, waited,
)

# Traces go to OpenAI's own service.
set_tracing_disabled(True)
client = AsyncOpenAI()
Model = OpenAIResponsesModel if "responses" in sys.argv else OpenAIChatCompletionsModel


def agent(model=MODELS["chat"], is_spent=False, settings=None, **more):
    one = AsyncOpenAI(api_key=os.environ["SPENT_API_KEY"]) if is_spent else client
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
    result, _ = waited(streamed_by(agent(), prompt))
    return shown_of(result)


class Weather(BaseModel):
    city: str
    degrees: float
    note: str | None


WEATHER = Weather(city="Paris", degrees=24, note=None)


def text():
    shown = ask(saying())
    assert (shown["text"], shown["usage"]) == (SAID, [12, 5]), shown


async def streamed():
    result, said = await streamed_by(agent(), saying())
    assert (said, result.final_output) == (SAID, SAID), said


async def objects():
    result = await Runner.run(agent(output_type=Weather), saying(WEATHER.model_dump_json()))
    assert result.final_output == WEATHER, result.final_output


async def tools():
    for more in ["", "&no_ids"]:
        cities = []

        @function_tool
        def get_weather(city: str) -> str:
            """The weather in a city."""
            cities.append(city)
            return "24 degrees"

        one, prompt = agent(tools=[get_weather]), asking_for_weather(more)
        if more == "":
            result = await Runner.run(one, prompt)
        else:
            result, _ = await streamed_by(one, prompt)
        assert (result.final_output, cities) == (SAID, ["Paris", "Rome"]), (result, cities)


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


async def guard():
    moderation = {"model": "omni-moderation-latest", "policy": {"input": {"mode": "block"}}}
    prompt = f"{RUDE} {saying()}"
    guarded = agent(settings={"extra_body": {"moderation": moderation}})
    try:
        await Runner.run(guarded, prompt, max_turns=1)
    except (ModelRefusalError, ModelBehaviorError) as refusal:
        assert reason_in(str(refusal)) == "content_filter", refusal
    else:
        raise AssertionError("the guard let it through")
    assert times_asked(prompt) == 0


def errors():
    assert_errors(ask, lambda error: getattr(error, "status_code", None))


drive(
    ["openai-agents"],
    {
        "text": text,
        "stream": streamed,
        "objects": objects,
        "tools": tools,
        "moderation": moderation,
        "guard": guard,
        "errors": errors,
        "odd": odd_answers(ask, stream),
    },
)
