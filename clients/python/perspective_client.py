"""Google's generated Python client against this gateway: prints the result of each request as JSON.

ORIGIN, KEY and TEXTS (a JSON list) come from the environment.
"""

import json
import os

from googleapiclient import discovery
from googleapiclient.errors import HttpError

client = discovery.build(
    "commentanalyzer",
    "v1alpha1",
    developerKey=os.environ["KEY"],
    discoveryServiceUrl=os.environ["ORIGIN"] + "/$discovery/rest?version=v1alpha1",
    static_discovery=False,
)

for text in json.loads(os.environ["TEXTS"]):
    body = {
        "comment": {"text": text},
        "requestedAttributes": {"TOXICITY": {}, "INSULT": {}},
        "doNotStore": True,
    }
    try:
        print(json.dumps(client.comments().analyze(body=body).execute()))
    except HttpError as error:
        print(json.dumps({"status": error.resp.status, "error": json.loads(error.content)["error"]}))

body = {
    "comment": {"text": "A comment"},
    "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0}}},
    "clientToken": "python",
}
print(json.dumps(client.comments().suggestscore(body=body).execute()))
