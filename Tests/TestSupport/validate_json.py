"""Reads lines {"schema": ..., "text": ...} and prints, for each text that is not JSON or not valid under its
schema, its line number and why."""
import json
import sys

import jsonschema

for number, line in enumerate(sys.stdin):
    case = json.loads(line)
    try:
        value = json.loads(case["text"])
    except ValueError as error:
        print(number, "is no JSON:", error, case["text"][:200])
        continue
    validator = jsonschema.Draft202012Validator(case["schema"])
    for error in validator.iter_errors(value):
        print(number, error.message, "at", list(error.path), case["text"][:200])
