#!/usr/bin/env python3
"""Writes dry.json: what llama.cpp's DRY sampler takes from which tokens after texts that repeat themselves.

usage: make_dry.py MODEL.gguf   (needs pip's llama-cpp-python; written with 0.3.36)

Texts are random walks that go back to what they said; options are random. llama.cpp is given the tokens one
by one, then logits of 0 for all tokens: what is left of them is the penalty.
"""
import ctypes
import json
import pathlib
import random
import sys

import llama_cpp as llama

WORDS = ["The", " cat", " sat", " on", " the", " mat", ".", " A", " dog", ":", " ran", "\n", " \"", "far", "*", " away"]


@llama.llama_log_callback
def quiet(level, text, user):
    pass


llama.llama_log_set(quiet, ctypes.c_void_p(0))
parameters = llama.llama_model_default_params()
parameters.vocab_only = True
model = llama.llama_model_load_from_file(sys.argv[1].encode(), parameters)
vocabulary = llama.llama_model_get_vocab(model)
size = llama.llama_vocab_n_tokens(vocabulary)


def token(text):
    buffer = (llama.llama_token * 8)()
    count = llama.llama_tokenize(vocabulary, text.encode(), len(text.encode()), buffer, 8, False, False)
    assert count == 1, text
    return buffer[0]


def penalties(tokens, options):
    breakers = [text.encode() for text in options["breakers"]]
    array = (ctypes.c_char_p * max(1, len(breakers)))(*breakers)
    sampler = llama.llama_sampler_init_dry(
        vocabulary, options["multiplier"], options["base"], options["allowedLength"],
        4096 if options["window"] < 0 else options["window"],
        ctypes.cast(array, ctypes.POINTER(ctypes.c_char_p)), len(breakers))
    for id in tokens:
        llama.llama_sampler_accept(sampler, id)
    data = (llama.llama_token_data * size)(*[llama.llama_token_data(id=i, logit=0, p=0) for i in range(size)])
    candidates = llama.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
    llama.llama_sampler_apply(sampler, ctypes.byref(candidates))
    llama.llama_sampler_free(sampler)
    return {str(data[i].id): -data[i].logit for i in range(size) if data[i].logit != 0}


ids = [token(word) for word in WORDS]
random.seed(5)
cases = []
while len(cases) < 60:
    text = []
    words = random.sample(ids, random.randint(3, len(ids)))
    length = random.randint(3, 120)
    while len(text) < length:
        if len(text) > 8 and random.random() < 0.4:
            start = random.randrange(len(text) - 2)
            text += text[start:start + random.randint(2, 12)]
        else:
            text.append(random.choice(words))
    options = {
        "multiplier": random.choice([0.5, 0.8, 1.0]), "base": random.choice([1.0, 1.2, 1.75, 3.0]),
        "allowedLength": random.choice([0, 1, 2, 2, 4]), "window": random.choice([-1, -1, 16, 64]),
        "breakers": random.choice([[], ["\n", ":", "\"", "*"], ["\n"], ["at"]]),
    }
    found = penalties(text, options)
    if found or len(cases) % 6 == 0:
        cases.append({"tokens": text, "options": options, "penalties": found})
path = pathlib.Path(__file__).parent / "dry.json"
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
print(len(cases), "cases,", sum(len(c["penalties"]) for c in cases), "penalties")
