"""Writes the seeds from which scripts/fuzz starts: small sound files. usage: make_fuzz_seeds.py

fuzz/GGUF       a Llama model of one tiny block for each tensor type, and files of all metadata types
fuzz/Tokenizer  tokenizers of a few tokens: pre-tokenizers, control and user-defined tokens, merges
fuzz/Template   probes of each construct; a 0xFF byte parts a template from its variables
"""
import json, os, shutil
from hostile import (ARR, BOOL, F32, FORMATS, HERE, I32, STR, TENSOR_TYPES, U32, Array, Model, Tensor,
    image)

OUT = os.path.join(HERE, "fuzz")


def llama(type_name):
    number, values, size = TENSOR_TYPES[type_name]
    width = 8 if values == 1 else values
    model = Model([
        ("general.architecture", STR, "llama"), ("llama.block_count", U32, 1), ("llama.context_length", U32, 8),
        ("llama.embedding_length", U32, width), ("llama.feed_forward_length", U32, width),
        ("llama.attention.head_count", U32, 1), ("llama.attention.head_count_kv", U32, 1),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5), ("llama.rope.freq_base", F32, 10000.0),
        ("llama.vocab_size", U32, 2), ("general.alignment", U32, 32)])

    def tensor(name, rows):
        if rows is None: return Tensor(name, (width,), TENSOR_TYPES["F32"][0], b"\0\0\x80\x3f" * width)
        return Tensor(name, (width, rows), number, b"\0" * (rows * width // values * size))
    names = [("token_embd", 2)] + [("blk.0." + part, None if part.endswith("norm") else width) for part in (
        "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")]
    model.tensors = [tensor(name + ".weight", rows) for name, rows in names + [("output_norm", None)]]
    return model


def every_type():
    entries = [(f"x.{type}", type, 1) for type in FORMATS] + [("x.text", STR, "h\u00e9")]
    entries += [(f"x.a{type}", ARR, Array(type, [0, 1, 1])) for type in FORMATS]
    return Model(entries + [("x.texts", ARR, Array(STR, ["", "a", "bc"])), ("x.none", ARR, Array(U32, []))],
        [Tensor("a", (4, 2, 1, 3), 0, b"\0" * 96), Tensor("b", (0,), 0, b"")])


def tokenizer(pre, tokens, types, merges, **more):
    entries = [("tokenizer.ggml.model", STR, "gpt2"), ("tokenizer.ggml.pre", STR, pre),
        ("tokenizer.ggml.tokens", ARR, Array(STR, tokens)), ("tokenizer.ggml.token_type", ARR, Array(I32, types)),
        ("tokenizer.ggml.merges", ARR, Array(STR, merges))]
    for key, (type, value) in more.items(): entries.append(("tokenizer.ggml." + key, type, value))
    return Model(entries)


def tokenizers():
    letters = ["a", "b", "c", "\u0120", "\u010a", "1", "\u00c3", "\u00a9", "'", "s", "ab", "\u0120a", "abc", "'s"]
    merges = ["a b", "\u0120 a", "ab c", "' s"]
    plain = (letters, [1] * len(letters), merges)
    special = (letters + ["<|im_start|>", "<|im_end|>", "<u>"], [1] * len(letters) + [3, 3, 4], merges)
    for pre in ("smollm", "gpt-2", "llama-bpe", "default", "qwen2"): yield pre, tokenizer(pre, *plain)
    yield "special", tokenizer("smollm", *special, bos_token_id=(U32, 14), eos_token_id=(U32, 15),
        add_bos_token=(BOOL, True), unknown_token_id=(U32, 0))
    yield "llama-special", tokenizer("llama-bpe", *special, eot_token_id=(U32, 15))


PROBES = [
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m.content }}<|im_end|>{% endfor %}",
    "{%- if messages[0].role == 'system' -%}{% set s = messages[0]['content']|trim %}{%- else %}{% set s = '' %}{% endif %}{{ s }}",
    "{% macro f(a, b=2, *c) %}{{ a ~ b }}{{ caller() if caller }}{% endmacro %}{{ f(1, b=3) }}{% call f(4) %}x{% endcall %}",
    "{% set ns = namespace(n=0) %}{% for i in range(3) if i is odd %}{% set ns.n = ns.n + i %}{{ loop.index }}{% else %}e{% endfor %}{{ ns.n }}",
    "{{ tools | tojson(indent=2) }}{{ messages | map(attribute='role') | join(', ') | upper }}",
    "{{ messages[1:][::-1] | length }}{{ 'abc'[-1] }}{{ [1, 2.5, 'x', none, true][2] }}{{ {'a': (1,)}['a'] }}",
    "{% filter upper | replace('A', 'b') %}a{{ 1 if false }}{% endfilter %}{% with x = 1, y = 2 %}{{ x // y ** 2 % 3 }}{% endwith %}",
    "{% raw %}{{ x }}{% endraw %}{# c #}\n  {%+ if true %} \n{% endif -%}  z{% generation %}g{% endgeneration %}",
    "{% for x in [[1, [2]]] recursive %}{{ x if x is number else loop(x) }}{% endfor %}{% for a, b in {'k': 1}.items() %}{% break %}{% endfor %}",
    "{{ '%s-%05.2f-%r' % ('a', 1.5, 'q') }}{{ 'a b'.split() }}{{ 'x'.join(['1', '2']) }}{{ 'aXb'.lower().replace('x', 'y').strip('a') }}",
    "{{ strftime_now('%d %b %Y') }}{{ cycler(1, 2).next() }}{{ joiner(',')() }}{{ dict(a=1) | dictsort }}{{ [3, 1] | sort | batch(1) | list }}",
    "{{ raise_exception('no') if messages is not defined or messages | selectattr('role', 'equalto', 'x') | list else 1 < 2 <= 3 }}",
    "{{ messages | groupby('role') }}{{ [1, 2] | sum }}{{ 'a' in 'abc' and not false }}{{ x | default('d', true) | indent(2) | e }}",
    "{{ u.a.b }}\xff".encode("latin-1") + json.dumps({"u": {"a": {"b": [1, -2.5e3, "t\u00e9", None, True]}}}).encode(),
]

DICTIONARIES = {
    "GGUF": ["GGUF", "llama", "general.architecture", "general.alignment", "llama.block_count",
        "llama.context_length", "llama.embedding_length", "llama.feed_forward_length", "llama.attention.head_count",
        "llama.attention.head_count_kv", "llama.attention.layer_norm_rms_epsilon", "llama.rope.freq_base",
        "llama.rope.dimension_count", "llama.attention.key_length", "llama.vocab_size", "token_embd.weight",
        "output_norm.weight", "output.weight", "blk.0.attn_q.weight", "blk.0.ffn_down.weight"],
    "Tokenizer": ["tokenizer.ggml." + key for key in ("model", "pre", "tokens", "token_type", "merges", "scores",
        "bos_token_id", "eos_token_id", "eot_token_id", "add_bos_token")] + ["gpt2", "smollm", "gpt-2", "llama-bpe",
        "default", "qwen2", "<|im_end|>"],
    "Template": ["{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}"] + (
        "for in if elif else endfor endif set endset macro endmacro call endcall filter endfilter with endwith raw "
        "endraw break continue generation endgeneration recursive is not and or loop namespace range messages content "
        "role tojson trim join map select reject selectattr rejectattr sort unique batch slice groupby default indent "
        "replace split strip length items dictsort cycler joiner caller varargs kwargs strftime_now "
        "raise_exception defined none true false undefined string mapping sequence iterable").split() + [
        "loop.index", "loop.changed", "**", "//", "~", "|", "==", "!=", "<=", "'%s' %", "\\u0041"],
}


def quoted(word): return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    for name, words in DICTIONARIES.items():
        shutil.rmtree(os.path.join(OUT, name), ignore_errors=True)
        os.makedirs(os.path.join(OUT, name))
        with open(os.path.join(OUT, name + ".dict"), "w") as f: f.writelines(quoted(w) + "\n" for w in words)
    seeds = {"GGUF": {"types": every_type(), "f16": llama("F16")}, "Tokenizer": dict(tokenizers())}
    for name in ("F32", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"): seeds["GGUF"][name.lower()] = llama(name)
    # A float32 that conversions change: found by reading, not by the fuzzer.
    seeds["GGUF"]["signalling-nan"] = every_type().set("x.6", b"\x01\0\x80\x7f")
    # Letters and joined tokens that the file calls control tokens: found by the fuzzer.
    seeds["Tokenizer"]["control-letters"] = tokenizer("qwen2", ["a", "b", "c", "ab"], [1, 3, 1, 3], ["a b"])
    for target, models in seeds.items():
        for name, model in models.items():
            with open(os.path.join(OUT, target, name + ".gguf"), "wb") as f: f.write(image(model.write()))
    for index, probe in enumerate(PROBES):
        with open(os.path.join(OUT, "Template", f"probe-{index:02}.jinja"), "wb") as f:
            f.write(probe if isinstance(probe, bytes) else probe.encode())


if __name__ == "__main__": main()
