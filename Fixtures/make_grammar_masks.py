#!/usr/bin/env python3
"""Writes grammar-masks.json: which tokens llama.cpp allows after random beginnings, by grammars in GBNF.

usage: make_grammar_masks.py MODEL.gguf   (needs pip's llama-cpp-python; written with 0.3.36)

Each walk begins a text, picks one of the allowed tokens at random, and goes on. Of each step: whether the
text may end there, and the number and a hash (FNV-1a, 64 bits, of the ids in order, 4 bytes each) of the
allowed tokens, less those that are control tokens or end a reply, and less those that end within a
character or begin with NUL: llama.cpp refuses the latter, and the former before a class like [^\u2028],
though characters begin alike that the class has.
"""
import ctypes
import json
import pathlib
import random
import sys

import llama_cpp as llama
import numpy as np

HERE = pathlib.Path(__file__).parent

GRAMMARS = {
    "json": r'''
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
''',
    "arithmetic": r'''
root  ::= (expr "=" ws term "\n")+
expr  ::= term ([-+*/] term)*
term  ::= ident | num | "(" ws expr ")" ws
ident ::= [a-z] [a-z0-9_]* ws
num   ::= [0-9]+ ws
ws    ::= [ \t\n]*
''',
    "list": r'''
# A list with dashes.
root ::= item{2,5}
item ::= "- " [^\r\n\x0b\x0c\x85\u2028\u2029]{1,30} "\n"
''',
    "words": r'''
root ::= "The " ("quick " | "slow " | "quiet ")? animal (" and the " animal){0,3} "."
animal ::= "fox" | "dog" | "d\u00f6rfliche Kuh" | "\u72d0" | "\U0001F98A"
''',
    "japanese": r'''
root ::= jp+ ([ \t\n] jp+)*
jp ::= hiragana | katakana | punctuation | cjk
hiragana ::= [ぁ-ゟ]
katakana ::= [ァ-ヿ]
punctuation ::= [、-〾]
cjk ::= [一-鿿]
''',
    "nested": r'''
root ::= "(" root? ")" root2
root2 ::= "" | "[" root2 "]" | .
''',
    "chess": r'''
root ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")+
move ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
''',
}
STEPS = {"json": 500, "list": 150, "arithmetic": 150}


def fnv(ids):
    value = 0xCBF29CE484222325
    for byte in np.asarray(ids, "<u4").tobytes():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def main():
    llama.llama_backend_init()
    params = llama.llama_model_default_params()
    params.vocab_only = True
    model = llama.llama_model_load_from_file(sys.argv[1].encode(), params)
    vocab = llama.llama_model_get_vocab(model)
    size = llama.llama_vocab_n_tokens(vocab)
    piece = ctypes.create_string_buffer(1024)

    def is_hidden(token):
        if llama.llama_vocab_is_control(vocab, token) or llama.llama_vocab_is_eog(vocab, token):
            return True
        count = llama.llama_token_to_piece(vocab, token, piece, 1024, 0, True)
        spelling = piece.raw[:count]
        try:
            return not spelling or spelling[0] == 0 or not spelling.decode()
        except UnicodeDecodeError as error:
            return error.end == len(spelling)

    hidden = np.array([is_hidden(i) for i in range(size)])
    end = next(i for i in range(size) if llama.llama_vocab_is_eog(vocab, i))
    data = (llama.llama_token_data * size)()
    array = llama.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
    view = np.ctypeslib.as_array(data)
    draw = random.Random(6)
    result = []
    for name, text in GRAMMARS.items():
        walks = []
        left = STEPS.get(name, 100)
        while left > 0:
            grammar = llama.llama_sampler_init_grammar(vocab, text.encode(), b"root")
            steps = []
            for _ in range(min(left, 25)):
                view["id"] = np.arange(size)
                view["logit"] = 0
                view["p"] = 0
                llama.llama_sampler_apply(grammar, array)
                allowed = np.isfinite(view["logit"])
                may_end = bool(allowed[end])
                ids = np.nonzero(allowed & ~hidden)[0]
                steps.append({"ends": may_end, "count": len(ids), "hash": fnv(ids)})
                if not len(ids):
                    break
                # Common tokens are short and early; without them texts end up in long words.
                choice = int(draw.choice(ids if draw.random() < 0.6 else ids[:20]))
                steps[-1]["next"] = choice
                llama.llama_sampler_accept(grammar, choice)
            llama.llama_sampler_free(grammar)
            left -= len(steps)
            walks.append(steps)
        result.append({"name": name, "grammar": text, "walks": walks})
    path = HERE / "grammar-masks.json"
    path.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(path, sum(len(w) for g in result for w in g["walks"]), "states")


main()
