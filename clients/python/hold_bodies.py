# Reads real bodies into classes generated from the API's document: python hold_bodies.py MODELS BODIES
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("models", sys.argv[1])
models = importlib.util.module_from_spec(spec)
sys.modules["models"] = models
spec.loader.exec_module(models)
with open(sys.argv[2], encoding="utf-8") as file:
    bodies = json.load(file)
for name, body in bodies.items():
    getattr(models, name).model_validate_json(json.dumps(body))
    print("held", name)
