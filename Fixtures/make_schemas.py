#!/usr/bin/env python3
"""Writes schemas.json: 500 random JSON Schemas (draft 2020-12) that have valid values."""
import json
import pathlib
import random

draw = random.Random(20)
WORDS = "name age city color size price tags items owner status level kind note code date score".split()
PATTERNS = [
    "^[A-Z]{3}-[0-9]{4}$", "^(red|green|blue)$", "^[a-z]+(_[a-z]+){0,2}$", r"^\d{1,3}(\.\d{1,3}){3}$",
    r"^\+?[0-9 ]{5,12}$", "^v[0-9]+$", r"^[^\s@]+@[a-z]+\.(com|org)$", r"^\w{2,8}\s\w{2,8}$", "^[äöüß]{1,5}$",
    "^(?:ab|cd)*$", r"^\$[1-9]\d*\.\d\d$", "colou?r", "^#", "end$", r"^[\w.-]{1,20}\\$", '^"[^"]*"$',
    r"^\D{3}$", r"^\S+\W$", "^.{1,10}$", "^日本[一-龥]{1,3}$",
]
FORMATS = ["date", "time", "date-time", "uuid", "ipv4", "email", "uri", "hostname"]


def string():
    kind = draw.random()
    if kind < 0.3:
        return {"type": "string"}
    if kind < 0.55:
        low = draw.randint(0, 8)
        schema = {"type": "string", "maxLength": low + draw.randint(0, 30)}
        if draw.random() < 0.6:
            schema["minLength"] = low
        return schema
    if kind < 0.85:
        return {"type": "string", "pattern": draw.choice(PATTERNS)}
    return {"type": "string", "format": draw.choice(FORMATS)}


def integer():
    schema = {"type": "integer"}
    low = draw.choice([-1000, -7, 0, 1, 18, 1900, 10**9, -(10**12)])
    if draw.random() < 0.2:
        return schema | {"minimum": low, "maximum": low + draw.choice([12, 1000]), "multipleOf": draw.choice([2, 3, 5])}
    if draw.random() < 0.6:
        schema[draw.choice(["minimum", "exclusiveMinimum"])] = low
    if draw.random() < 0.6:
        schema[draw.choice(["maximum", "exclusiveMaximum"])] = low + draw.choice([2, 9, 81, 1000, 10**7])
    return schema


def number():
    schema = {"type": "number"}
    low = draw.choice([-273.15, -1, 0, 0.001, 0.5, 3.14159, 1e6, -1e-6])
    if draw.random() < 0.6:
        schema[draw.choice(["minimum", "exclusiveMinimum"])] = low
    if draw.random() < 0.6:
        schema[draw.choice(["maximum", "exclusiveMaximum"])] = round(
            low + draw.choice([0.01, 0.5, 1, 99.9, 12345]), 9)
    return schema


def scalar():
    return draw.choice([
        string, string, integer, number, lambda: {"type": "boolean"}, lambda: {"type": "null"},
        lambda: {"enum": draw.sample(["low", "high", "über", 'q"uote', "new\nline", 1, 2.5, True, None, [1, {"a": []}]], draw.randint(1, 5))},
        lambda: {"const": draw.choice(["fixed", 42, {"k": [1, None]}, False])},
        lambda: {"type": ["string", "null"], "maxLength": 12},
        lambda: {"type": draw.sample(["string", "integer", "boolean", "null", "number"], 2)},
    ])()


def array(depth):
    schema = {"type": "array", "items": value(depth - 1)}
    low = draw.randint(0, 3)
    if draw.random() < 0.6:
        schema["minItems"] = low
    if draw.random() < 0.7:
        schema["maxItems"] = low + draw.randint(0, 4)
    if draw.random() < 0.2:
        schema["prefixItems"] = [value(depth - 1) for _ in range(draw.randint(1, 3))]
        if draw.random() < 0.5:
            schema["items"] = False
            schema.pop("minItems", None)
    return schema


def object_(depth):
    names = draw.sample(WORDS, draw.randint(0, 5))
    schema = {"type": "object", "properties": {name: value(depth - 1) for name in names}}
    schema["required"] = [name for name in names if draw.random() < 0.6]
    if draw.random() < 0.15:
        schema["required"].append("extra")
    elif draw.random() < 0.4:
        schema["additionalProperties"] = False
    if not names and draw.random() < 0.7:
        schema["additionalProperties"] = scalar()
        if draw.random() < 0.3:
            schema["minProperties"] = 1
            schema["required"] = []
        if draw.random() < 0.3:
            schema["maxProperties"] = draw.randint(1, 4)
            schema["required"] = []
    return schema


def union(depth):
    kind = draw.random()
    if kind < 0.5:
        return {"anyOf": [value(depth - 1) for _ in range(draw.randint(2, 3))]}
    if kind < 0.75:
        # Told apart by a constant.
        return {"oneOf": [
            {"type": "object", "required": ["kind"],
             "properties": {"kind": {"const": name}, "value": value(depth - 1)}}
            for name in draw.sample(WORDS, 2)]}
    if kind < 0.85:
        return {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}
    return {"allOf": [
        {"type": "object", "properties": {"a": scalar()}, "required": ["a"]},
        {"type": "object", "properties": {"b": value(depth - 1)}, "required": ["b"]}]}


def value(depth):
    if depth <= 0 or draw.random() < 0.35:
        return scalar()
    return draw.choice([array, object_, object_, union])(depth)


def document(index):
    if index % 25 == 0:
        return {
            "type": "object", "properties": {"tree": {"$ref": "#/$defs/node"}}, "required": ["tree"],
            "$defs": {"node": {
                "type": "object", "required": ["value", "children"],
                "properties": {
                    "value": scalar(),
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 3}}}}}
    if index % 25 == 1:
        return {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#"}}]}
    if index % 25 == 2:
        return draw.choice([True, {}, {"type": "object"}, {"type": "array"}, {"description": "anything"}])
    return draw.choice([object_, object_, object_, array, union])(3)


path = pathlib.Path(__file__).parent / "schemas.json"
path.write_text(json.dumps([document(i) for i in range(500)], ensure_ascii=False, separators=(",", ":")) + "\n")
print(path)
