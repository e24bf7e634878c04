# What the programs of the Python clients share: see node/drive.mjs, which says what is in the environment.
import asyncio
import inspect
import io
import json
import os
import signal
import sys
import traceback
import urllib.parse
import urllib.request
import uuid
import wave
from importlib.metadata import version
from pathlib import Path

LONGEST_S = 30

EXPECTED = json.loads((Path(__file__).parent.parent / "expected.json").read_text())
MODELS = EXPECTED["models"]
SAID, HEARD, RUDE = EXPECTED["said"], EXPECTED["heard"], EXPECTED["rude"]


RUNNER = asyncio.Runner()


def waited(coroutine):
    """What it returns, for clients that have coroutines alone."""
    return RUNNER.run(coroutine)


def quote(text):
    return urllib.parse.quote(text, safe="")


def scripted(behaviour):
    """A text that makes the scripted engine behave so (test/fakes/chat.mjs)."""
    return f"Hello there. [[fake:{behaviour}|{uuid.uuid4()}]]"


def saying(text=SAID):
    """The engine says this text, in 12 and 5 tokens."""
    return scripted(f"text={quote(text)}&usage=12/5")


def calling(name, args, more=""):
    """A step of the engine's script: it calls this tool."""
    written = quote(json.dumps(args))
    return f"tool={name}&args={written}&ids={uuid.uuid4().hex}&usage=12/5{more}"


def asking_for_weather(more=""):
    """The engine asks for the weather in Paris, then in Rome, and then says the text."""
    steps = [calling("get_weather", {"city": city}, more) for city in ["Paris", "Rome"]]
    return scripted(",".join([*steps, f"text={quote(SAID)}&usage=12/5"]))


def recording():
    """A second of silence."""
    file = io.BytesIO()
    file.name = "talk.wav"
    with wave.open(file, "wb") as talk:
        talk.setnchannels(1)
        talk.setsampwidth(2)
        talk.setframerate(8000)
        talk.writeframes(bytes(16000))
    file.seek(0)
    return file


def texts(count):
    return ["x" * (at + 1) for at in range(count)]


def assert_vectors(vectors, count):
    """The engine's vectors begin with the length of the text."""
    assert [vector[0] for vector in vectors] == [at + 1 for at in range(count)], vectors


def odd_answers(ask, stream):
    """
    The odd answers of the engine. `ask` and `stream` return what the client shows of an answer, as a
    dict of `text`, `finish`, `usage` (prompt, completion) and `reasoning`; what it does not show is
    missing or None.
    """
    text = f"text={quote(SAID)}"

    def use_of(odd):
        def use():
            prompt = scripted(f"{text}&{odd['behaviour']}")
            answer = stream if odd.get("streamed") else ask
            if odd.get("fails"):
                refused(lambda: answer(prompt))
                return
            shown = answer(prompt)
            assert isinstance(shown["text"], str), shown
            expected = {"text": SAID}
            expected.update({k: v for k, v in odd.items() if k in ("text", "finish", "usage", "reasoning")})
            for field, value in expected.items():
                if shown.get(field) is not None:
                    assert shown[field] == value, (field, shown[field], value)

        return use

    return [(odd["name"], use_of(odd)) for odd in EXPECTED["odd"]]


def refused(use):
    """What this throws: an error of the client, and no slip of its code."""
    try:
        shown = use()
    except (TypeError, AttributeError, KeyError, IndexError, AssertionError):
        raise
    except Exception as error:
        return error
    raise AssertionError(f"It was not refused: {shown}")


def times_asked(prompt, upstream="OPENAI_UPSTREAM_URL"):
    """How many chats an engine was asked for with this prompt."""
    url = f"{os.environ[upstream]}__requests?match={quote(prompt)}"
    with urllib.request.urlopen(url) as reply:
        return sum(request["task"] == "chat" for request in json.load(reply))


def assert_errors(ask, status_of, upstream="OPENAI_UPSTREAM_URL"):
    """
    A model that is not there, an answer that the engine refuses to give, a quota that is used up.
    `ask(prompt, model=…, is_spent=…)`; `status_of` an error.
    """

    def failing(status, word, prompt, **options):
        error = refused(lambda: ask(prompt, **options))
        assert status_of(error) == status, repr(error)
        assert word in str(error), repr(error)

    failing(404, "no-such-model", saying(), model="no-such-model")
    prompt = scripted("400")
    failing(400, "Scripted" if upstream.startswith("OPENAI") else "error code: 1105", prompt)
    assert times_asked(prompt, upstream) == 1
    failing(429, "neurons", saying(), is_spent=True)


def show(line):
    print(json.dumps(line), flush=True)


def late(_number, _frame):
    raise TimeoutError(f"{LONGEST_S} s were not enough")


def drive(packages, features):
    """Uses each feature and prints whether it works. A feature may be a coroutine function."""
    show({"versions": [version(package) for package in packages]})
    signal.signal(signal.SIGALRM, late)
    for feature, uses in features.items():
        for name, use in uses if isinstance(uses, list) else [(None, uses)]:
            line = {"feature": feature, "name": name, "works": True}
            signal.alarm(LONGEST_S)
            try:
                done = use()
                if inspect.iscoroutine(done):
                    waited(done)
            except BaseException:
                line.update(works=False, why=traceback.format_exc())
            finally:
                signal.alarm(0)
            show(line)
    sys.stdout.flush()
    os._exit(0)
