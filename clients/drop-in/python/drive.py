# What the programs of the Python clients share: see node/drive.mjs, which says what is in the environment,
# and features.py.
import asyncio
import inspect
import json
import os
import signal
import sys
import traceback
import urllib.parse
import urllib.request
import uuid
from importlib.metadata import version
from pathlib import Path

LONGEST_S = 30

EXPECTED = json.loads((Path(__file__).parent.parent / "expected.json").read_text())
MODELS = EXPECTED["models"]
SAID, HEARD, RUDE = EXPECTED["said"], EXPECTED["heard"], EXPECTED["rude"]


RUNNER = asyncio.Runner()


def waited(result):
    """The result of a function, or of a coroutine function."""
    return RUNNER.run(result) if inspect.iscoroutine(result) else result


def key_of(is_spent=False):
    """The key of the tenant, or of the one whose quota is used up."""
    return os.environ["SPENT_API_KEY" if is_spent else "OPENAI_API_KEY"]


def account_of(is_spent=False):
    """The same as an account and a token of Cloudflare."""
    prefix = "SPENT" if is_spent else "CLOUDFLARE"
    return os.environ[f"{prefix}_ACCOUNT_ID"], os.environ[f"{prefix}_API_TOKEN"]


def user_says(content):
    return [{"role": "user", "content": content}]


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


def times_asked(prompt, service):
    """How many chats the engine behind "openai" or "cloudflare" was asked for with this prompt."""
    url = f"{os.environ[f'{service.upper()}_UPSTREAM_URL']}__requests?match={quote(prompt)}"
    with urllib.request.urlopen(url) as reply:
        return sum(request["task"] == "chat" for request in json.load(reply))


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
                waited(use())
            except BaseException:
                line.update(works=False, why=traceback.format_exc())
            finally:
                signal.alarm(0)
            show(line)
    sys.stdout.flush()
    os._exit(0)
