"""Makes templates/golden.json: what Python's jinja2, set up as in transformers' apply_chat_template,
makes of every chat template in templates/ and of small templates that probe one thing each.

    python make_templates.py OUT_FILE          (needs jinja2 only; golden.json has jinja2 3.1.6)
    python make_templates.py --scan            (prints which constructs the chat templates use)
"""

import collections
import copy
import datetime
import json
import pathlib
import re
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox
import jinja2.utils

TEMPLATES = pathlib.Path(__file__).resolve().parent / "templates"
NOW = datetime.datetime(2026, 7, 4, 9, 5, 3)


class Generation(jinja2.ext.Extension):
    """{% generation %}body{% endgeneration %} renders the body, as a call block (so with its own scope)."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

    def _render(self, caller):
        return caller()


class TemplateDict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class TemplateNamespace(jinja2.utils.Namespace):
    """Like transformers', this takes no attribute that begins with an underscore."""

    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            TemplateNamespace._check_name(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        TemplateNamespace._check_name(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def _check_name(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(
                "Chat templates cannot store underscore-prefixed attributes on a namespace, "
                f"but got {name!r}. Please rename the attribute."
            )


TemplateNamespace.__module__ = TemplateDict.__module__ = "transformers.utils.chat_template_utils"


class Raised(jinja2.exceptions.TemplateError):
    """What raise_exception raises."""


def raise_exception(message):
    raise Raised(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def strftime_now(format):
    return NOW.strftime(format)


def environment():
    result = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    result.filters["tojson"] = tojson
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = strftime_now
    result.globals["dict"] = TemplateDict()
    result.globals["namespace"] = TemplateNamespace
    return result


ENVIRONMENT = environment()


def render(template, variables):
    """{"text": ...}, {"error": message of raise_exception} or {"failure": "Class: text"}."""
    try:
        return {"text": ENVIRONMENT.from_string(template).render(**copy.deepcopy(variables))}
    except Raised as error:
        return {"error": str(error)}
    except jinja2.exceptions.TemplateSyntaxError as error:
        return {"failure": f"{type(error).__name__}: {error.message}"}
    except Exception as error:
        # A SyntaxError comes from the Python code that jinja2 makes; its place there says nothing.
        return {"failure": re.sub(r" \(<template>, line \d+\)$", "", f"{type(error).__name__}: {error}")}


# MARK: Conversations

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": 'Weather at a place, e.g. "Köln".\nOne line per day.',
        "parameters": {
            "type": "object",
            "properties": {
                "place": {
                    "type": "object",
                    "description": "Where",
                    "properties": {
                        "city": {"type": "string", "description": "City's name"},
                        "lat": {"type": "number"},
                    },
                    "required": ["city"],
                },
                "days": {"type": "integer", "default": 1, "minimum": 1},
                "unit": {"type": "string", "enum": ["C", "F"]},
                "fields": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["place"],
        },
    },
}
CLOCK = {
    "type": "function",
    "function": {
        "name": "clock",
        "description": "The time <now> & here",
        "parameters": {"type": "object", "properties": {}, "required": []},
    },
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"type": "number", "description": "first"},
                "b": {"type": "number", "description": "second"},
            },
            "required": ["a", "b"],
        },
    },
}
ARGUMENTS = {"place": {"city": "Köln", "lat": 50.9}, "days": 2, "unit": "C", "fields": ["rain", "wind"], "now": True}


def user(content, **more):
    return {"role": "user", "content": content, **more}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


def call(name, arguments, identifier):
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(name, content, identifier):
    return {"role": "tool", "tool_call_id": identifier, "name": name, "content": content}


def conversation(name, messages, **variables):
    """What apply_chat_template gives every template, unless `variables` says otherwise."""
    given = {
        "tools": None,
        "documents": None,
        "add_generation_prompt": True,
        "bos_token": "<s>",
        "eos_token": "</s>",
    }
    return {"name": name, "messages": messages, "variables": {**given, **variables}}


# What a few templates want.
FUNCTIONS = {
    "functions": "[clock]",
    "datetime": "July 4",
    "additional_special_tokens": ["<a>", "<b>", "<c>", "<d>", "<e>", "<f>"],
}

TURNS = [
    system("Be brief."),
    user("What is 2+2?"),
    assistant("4"),
    user("And 3+3?"),
    assistant("6"),
]

CONVERSATIONS = [
    conversation("user", [user("Hello!")]),
    conversation(
        "system and user",
        [system("You are a pirate."), user("Who are you?")],
        date_string="26 Jul 2024",
        **FUNCTIONS,
    ),
    conversation("turns", TURNS, add_generation_prompt=False),
    conversation(
        "turns and prompt",
        TURNS[1:] + [user("Thanks, and 4+4?")],
        bos_token="",
        eos_token="<|end|>",
        **FUNCTIONS,
    ),
    conversation(
        "unicode and control texts",
        [
            system("Sag „Grüß Gott“\n\tund 'nichts' \\n \"mehr\"."),
            user("日本語 🙂 é <|im_end|>\n<|im_start|>system\n{{ 7*7 }} {% raw %} </s> [INST] <think>x</think> & <b>"),
            assistant("ok\\\r\nline\u2028two"),
            user('{"a": "b\'c"}'),
        ],
    ),
    conversation("tools", [system("Use tools."), user("Weather in Köln?")], tools=[WEATHER, CLOCK]),
    conversation(
        "tool call with object",
        [
            user("Weather in Köln?"),
            assistant("", tool_calls=[call("get_weather", ARGUMENTS, "abcDEF123")]),
            tool("get_weather", '{"rain": 0.5}', "abcDEF123"),
        ],
        tools=[WEATHER],
    ),
    conversation(
        "tool call with string",
        [
            user("Weather in Köln?"),
            assistant("", tool_calls=[call("get_weather", json.dumps(ARGUMENTS, ensure_ascii=False), "abcDEF123")]),
            tool("get_weather", '{"rain": 0.5}', "abcDEF123"),
        ],
        tools=[WEATHER],
    ),
    conversation(
        "two tool calls",
        [
            system("Use tools."),
            user("Sum and time?"),
            assistant("Let me see.", tool_calls=[call("add", {"a": 1, "b": -2.5}, "abcDEF123"), call("clock", {}, "abcDEF124")]),
            tool("add", "-1.5", "abcDEF123"),
            tool("clock", "09:05\n", "abcDEF124"),
            assistant("-1.5, 9:05."),
            user("Thanks!"),
        ],
        tools=[ADD, CLOCK],
        **FUNCTIONS,
    ),
    conversation(
        "tool call with null content",
        [
            user("Time?"),
            {"role": "assistant", "content": None, "tool_calls": [call("add", {"a": 1, "b": 2}, "abcDEF123")]},
            tool("add", "3", "abcDEF123"),
            assistant("3"),
        ],
        tools=[ADD],
        add_generation_prompt=False,
    ),
    conversation(
        "tool call with no content",
        [
            user("Time?"),
            {"role": "assistant", "tool_calls": [call("add", {"a": 1, "b": 2}, "abcDEF123")]},
            tool("add", [{"type": "text", "text": "3"}], "abcDEF123"),
        ],
        tools=[ADD],
    ),
    conversation(
        "reasoning and tool call",
        [
            user("1+2?"),
            assistant("", reasoning_content="Add them.", tool_calls=[call("add", {"a": 1, "b": 2}, "abcDEF123")]),
            tool("add", "3", "abcDEF123"),
        ],
        tools=[ADD],
        enable_thinking=True,
        thinking=True,
    ),
    conversation(
        "reasoning",
        [
            user("7*8?"),
            assistant("56", reasoning_content="7*8 is 56.\nSure."),
            user("Plus 1?"),
            assistant("57", reasoning_content="56+1"),
        ],
        add_generation_prompt=False,
        enable_thinking=True,
    ),
    conversation(
        "reasoning in the content, no thinking",
        [
            system("You compute. /no_think"),
            user("7*8?"),
            assistant("<think>\n7*8 is 56.\n</think>\n\n56"),
            user("Plus 1? /no_think"),
        ],
        enable_thinking=False,
        thinking=False,
    ),
    conversation(
        "user parts",
        [
            system("Be kind."),
            {"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": " Two."}]},
        ],
    ),
    conversation(
        "parts and image",
        [
            {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [{"type": "text", "text": "One."}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Three."}]},
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]},
        ],
    ),
    conversation("empty contents", [system(""), user(""), assistant(""), user("")], tools=[], documents=[]),
    conversation("white space", [system("\n Be brief. \n"), user("  hi \t\n"), assistant("\n\n hello  "), user(" \n")]),
    conversation("two users", [user("One"), user("Two")]),
    conversation("ends with assistant", [user("Say it"), assistant("I say")], add_generation_prompt=False),
    conversation(
        "documents",
        [system("Cite."), user("Where do penguins live?")],
        documents=[
            {"doc_id": 1, "title": "Tall ones", "text": "Emperors are tall.", "content": "tall"},
            {"doc_id": 2, "title": "Homes", "text": "They live in\nAntarctica.", "content": "home"},
        ],
        citation_mode="fast",
    ),
    conversation(
        "variables",
        [user("Run it")],
        custom_tools=[CLOCK],
        builtin_tools=["brave_search", "code_interpreter"],
        tools_in_user_message=False,
        date_string="04 July 2026",
        reasoning_effort="high",
        model_identity="You are a test.",
        xml_tools=[CLOCK],
        python_tools=["def clock():\n    pass"],
        thinking_budget=512,
        **FUNCTIONS,
    ),
    conversation(
        "developer",
        [
            {"role": "developer", "content": "Answer in French."},
            user("Hi", name="Ann"),
            assistant("Bonjour", thinking="French."),
            user("Bye"),
        ],
        reasoning_effort="low",
        preserve_thinking=True,
    ),
    conversation("no messages", [], add_generation_prompt=False),
    {
        "name": "no tools variable",
        "messages": [system("Be brief."), user("Hi"), assistant("Hello"), user("Bye")],
        "variables": {
            "add_generation_prompt": True,
            "bos_token": "<s>",
            "eos_token": "</s>",
            **FUNCTIONS,
        },
    },
    {"name": "no variables", "messages": [user("Hi"), assistant("Hello"), user("Bye")], "variables": {}},
]


# MARK: Small templates

EXPRESSIONS = []


def pieces(template):
    """Splits "{{ a }} {{ b }}| {{ c }}" into the three; leaves everything else whole."""
    try:
        tokens = list(ENVIRONMENT.lex(template))
    except jinja2.exceptions.TemplateSyntaxError:
        return [template]
    result, inside = [], False
    for _, kind, text in tokens:
        if kind == "variable_begin":
            result.append(text)
            inside = True
        elif inside:
            result[-1] += text
            inside = kind != "variable_end"
        elif kind != "data" or not re.fullmatch(r"\|? *", text) or text == "":
            return [template]
    adjacent = "}}{{" in template or not template.startswith("{{ ")
    return [template] if adjacent or len(result) < 2 else result


def probe(*templates, **variables):
    for template in templates:
        for piece in pieces(template):
            used = {name: value for name, value in variables.items() if re.search(rf"\b{name}\b", piece)}
            EXPRESSIONS.append((piece, used))


# Output, white space, comments, raw blocks, line ends
probe(
    "",
    "plain",
    "plain\n",
    "plain\n\n",
    "\n",
    "\r\n",
    "a\r\n",
    "a\r\n\r\n",
    "a\r\nb\rc\nd",
    "a\r",
    "{{ 'a\r\nb' }}",
    "{{ 'a' }}\n",
    "{{ 'a' }}\nb",
    "{{ 'a' }}\n\nb",
    "a {{- 'b' -}} c",
    "a\n  {{- 'b' -}}  \n c",
    "a \t\n {{- 'b' }} c",
    "a {{ 'b' -}} \n\t c",
    "a\u00a0{{- 'b' }}",
    "a\u2003\u2028{{- 'b' -}}\u3000c",
    "a\x0b\x0c{{- 'b' -}}\x1cc",
    "a\u200b{{- 'b' -}}\u200bc",
    "a {%- if true -%} b {%- endif -%} c",
    "a {% if true %} b {% endif %} c",
    "a\n{% if true %}\nb\n{% endif %}\nc",
    "a\n   {% if true %}\nb\n\t {% endif %}\nc",
    "a\n   {% if true %}   \nb\n{% endif %}",
    "a\r\n  {% if true %}\r\nb\r\n{% endif %}\r\nc",
    "a\n{% if true -%}\n\n  b\n{%- endif %}\n\nc",
    "a\n  x {% if true %}\n  b{% endif %}\nc",
    "   {% if true %}   b{% endif %}",
    "\t{% if true %}b\t{% endif %}\t",
    "a\n  {{ 'b' }}\n  c",
    "a\n  {%+ if true %}\n  b\n  {%+ endif %}\nc",
    "a\n{% if true +%}\nb\n{% endif +%}\nc",
    "a\n{{ 'x' +}}\nb",
    "a {{+ 'b' }}",
    "{% if true %}\n{% endif %}",
    "{% if true %}\n\n{% endif %}\n\n",
    "{% set x = 1 %}\n{% set y = 2 %}\n{{ x + y }}\n",
    "{%- set x = 1 %}\n\n{{ x }}",
    "a{# comment #}b",
    "a\n{# comment #}\nb",
    "a\n   {# comment #}\nb",
    "a\n   {# comment #}   \nb",
    "a\n {#- comment -#} \nb",
    "a {#- comment #} b",
    "a\n{#+ comment +#}\nb",
    "a{# {{ x }} {% if %} #}b",
    "a{# one {# two #} three #}b",
    "a{# line\nline #}\n\nb",
    "a{# ' #}b",
    "a{##}b{#-#}c {#--#} d",
    "{% raw %}{{ x }} {% if %} {# c #}{% endraw %}",
    "a\n  {% raw %}\n  b\n  {% endraw %}\nc",
    "a {%- raw -%} \n b \n {%- endraw -%} c",
    "a {% raw -%} b {%- endraw %} c",
    "a\n{%+ raw +%}\nb\n{%+ endraw +%}\nc",
    "{% raw %}{% raw %}{% endraw %}",
    "{%raw%}{%x%}{%endraw%}",
    "{ { } } {x} %} }} #}",
    "{{ '{{' }}{{ '%}' }}{{ \"}}\" }}",
    "{{ '#}' }}{# {{ '#}' }}",
    "{{'a'}}{{'b'}}",
    "{{\n'a'\n~\n'b'\n}}",
    "{%\nif true\n%}x{%\nendif\n%}",
    "{{ {'a': {'b': 1}} }}",
    "{{{'a': 1}['a']}}",
    "{{ {'a': {}}}}",
    "{% for x in [1, 2, 3] %}\n  {{ x }}\n{% endfor %}\nend",
    "{% for x in [1, 2, 3] -%}\n  {{ x }}\n{%- endfor %}\nend",
    "{%- for x in [1, 2, 3] %}\n{{- x }}\n{%- endfor -%}\nend",
    "<a>\n    {%- if true %}\n        b\n    {%- endif %}\n</a>",
    "<a>\n\t{%- if false %}\n        b\n    {%- else -%}\n c\n{% endif %}\n</a>",
    "a{% if true %} {% endif %}b",
    "  {# c #}  {% if true %}x{% endif %}",
    "  {% set x = 1 %}  {% set y = 2 %}  z",
    "a\n  {% if true %}{% if true %}x\n  {% endif %}{% endif %}\nb",
    "{{ 'a' }}  {% if true %}b{% endif %}",
    "{{ 'a' }}\n  {% if true %}b{% endif %}",
    "{% if true %}\rb{% endif %}",
    "{% if true %}\r\n\r\nb{% endif %}\r\n",
    "a\n\u00a0{% if true %}b{% endif %}",
    "a\n\x0b{% if true %}b{% endif %}",
    "a\u2028  {% if true %}b{% endif %}",
    "a\n\n\n{% if true %}b{% endif %}\n\n\n",
    "a\n \n  {%- if true %}b{% endif -%}\n \nc",
    "  {%- raw %} a {% endraw -%}  b",
    "{% raw -%}\n a\n{%- endraw %}\n",
    "{%- if true -%}\n{{- 'a' -}}\n{%- endif -%}\n",
    "{{- 'a' }}  \n",
    "  {{ '' }}  ",
    "{%-if true-%} a {%-endif-%}",
    "{{-1}}{{- -1}}{{ 2 -1 -}} x",
    "{% if true %}a\n\n{% endif %}b\n{# c #}\n\nd",
    "{#- a -#}\n\n{#- b #}\nc",
    "\n{% if true %}\n\na\n{% endif %}\n",
    "{% for x in 'ab' %}\n\n{{ x }}\n\n{% endfor %}",
    "# line\n## two\n% three\n",
    "{% do 1 %}",
    "{{ 1 }};{{ 2 }}",
    "{{ }}",
    "{{ 1",
    "{{ 1 }",
    "{% if true %}",
    "{% if %}{% endif %}",
    "{% endif %}",
    "{% else %}",
    "{% for x in %}{% endfor %}",
    "{% unknown %}",
    "{% %}",
    "{# never closed",
    "{% raw %} never closed",
    "{{ 'never closed }}",
    "{{ 1 2 }}",
    "{{ a b }}",
    "{{ (1 }}",
    "{{ [1, 2 }}",
    "{{ 1 + }}",
    "{{ $ }}",
    "{{ a ! b }}",
    "{{ a & b }}",
    "{% if true %}{% for x in [] %}{% endif %}{% endfor %}",
    "{% endfor %}",
    "{% set %}",
    "{% set 1 = 2 %}",
    "{% set true = 2 %}",
    "{% for true in [1] %}{% endfor %}",
    "{{ 'a' if }}",
    "a\\nb",
    "tab\there",
)

# Literals
probe(
    r"{{ 'a\nb' }}",
    r"{{ 'a\tb\rc' }}",
    r"{{ 'it\'s' }}",
    r'{{ "a\"b" }}',
    r"{{ 'a\\b' }}",
    r"{{ 'a\\nb' }}",
    r"{{ '\u00e9\x41\101\0' }}",
    r"{{ '\U0001f642' }}",
    r"{{ '\N{BULLET}' }}",
    r"{{ 'a\qb\-' }}",
    r"{{ '\u12' }}",
    r"{{ '\x4' }}",
    r"{{ '\a\b\f\v' | list }}",
    "{{ 'line\\\nline' }}",
    "{{ 'line\nline' }}",
    r"{{ 'é\n日本🙂' }}",
    r"{{ '<|im_start|>\n' }}",
    "{{ \"it's\" }}{{ 'say \"x\"' }}",
    "{{ 'a' 'b' \"c\" }}",
    "{{ 'a' 'b' | upper }}",
    "{{ '' }}|{{ \"\" }}",
    "{{ 1_000 }} {{ 1_000.5 }}",
    "{{ 1e3 }} {{ 1E-3 }} {{ 1.5e+2 }} {{ 2e0 }}",
    "{{ 0x10 }} {{ 0XfF }} {{ 0o17 }} {{ 0b101 }} {{ 0x_f }}",
    "{{ 007 }}",
    "{{ 0 }} {{ 00 }} {{ 0_0 }}",
    "{{ 1. }}",
    "{{ .5 }}",
    "{{ 1.0 }} {{ 1.50 }} {{ 100.0 }}",
    "{{ 12345678901234567890 }} {{ 9223372036854775807 }} {{ 9223372036854775808 }}",
    "{{ -9223372036854775808 }} {{ -9223372036854775809 }}",
    "{{ true }} {{ True }} {{ false }} {{ False }} {{ none }} {{ None }}",
    "{{ TRUE }}|{{ NONE }}|{{ null }}",
    "{{ [] }} {{ [1] }} {{ [1, 'a', none, true, 1.5] }} {{ [1, 2,] }}",
    "{{ {} }} {{ {'a': 1} }} {{ {'a': 1, 'b': [2],} }} {{ {1: 2, none: 3, true: 4} }}",
    "{{ () }} {{ (1,) }} {{ (1, 2) }} {{ (1) }} {{ 1, 2 }}",
    "{{ {'a': 1, 'a': 2} }}",
    "{{ {1: 'a', 1.0: 'b', true: 'c'} }}",
    "{{ {[1]: 2} }}",
    "{{ {a: 1} }}",
    "{{ {'a'} }}",
    "{{ [[[]]] }}{{ [(1,), {}] }}",
    a="key",
)

# Arithmetic
probe(
    "{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }}",
    "{{ 7 / 2 }} {{ 6 / 2 }} {{ -7 / 2 }}",
    "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ 7.5 // 2 }} {{ -7.5 // 2 }}",
    "{{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 0 % 5 }} {{ -0.0 % 5 }}",
    "{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ 4 ** 0.5 }} {{ 2.0 ** 3 }} {{ 0 ** 0 }}",
    "{{ 2 ** 3 ** 2 }}",
    "{{ -2 ** 2 }} {{ (-2) ** 2 }} {{ 2 ** -1 ** 2 }}",
    "{{ 2 ** 64 }} {{ 2 ** 63 }} {{ 10 ** 20 }} {{ 9223372036854775807 + 1 }}",
    "{{ 9223372036854775807 * 9223372036854775807 }}",
    "{{ 2 ** 64 // 3 }} {{ 2 ** 64 % 1000 }} {{ -(2 ** 64) }}",
    "{{ 1 / 0 }}",
    "{{ 1 // 0 }}",
    "{{ 1 % 0 }}",
    "{{ 1.0 / 0 }}",
    "{{ 1.0 // 0 }}",
    "{{ 1.0 % 0 }}",
    "{{ 0 ** -1 }}",
    "{{ 1 - 2 - 3 }} {{ 8 / 4 / 2 }} {{ 2 * 3 % 4 }} {{ 7 - 3 + 2 }}",
    "{{ -1 }} {{ - 1 }} {{ --1 }} {{ +1 }} {{ -+-1 }} {{ 1 - -1 }} {{ 1--1 }}",
    "{{ -'a' }}",
    "{{ +'a' }}",
    "{{ -true }} {{ true + true }} {{ true * 3 }} {{ false / 1 }} {{ -1.5 }} {{ +true }}",
    "{{ 1 + 1.0 }} {{ 3 - 0.5 }} {{ 2 * 1.5 }} {{ 1 * 1.0 }}",
    "{{ 0.1 + 0.2 }} {{ 1e20 }} {{ 1e16 }} {{ 1e15 }} {{ 123456789012345.678 }} {{ 1e-7 }} {{ 0.0001 }} {{ 0.00001 }}",
    "{{ 1e100 }} {{ 1e308 * 10 }} {{ -1e308 * 10 }} {{ 1e308 * 10 - 1e308 * 10 }} {{ -0.0 }} {{ 0.0 }}",
    "{{ 1.0e22 }} {{ 1.5e16 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ 3.14159265358979 }} {{ 2.5 }} {{ 1/3 }}",
    "{{ 1 + 'a' }}",
    "{{ 'a' + 1 }}",
    "{{ 'a' - 'b' }}",
    "{{ 'a' / 2 }}",
    "{{ [] + 'a' }}",
    "{{ {} + {} }}",
    "{{ none + 1 }}",
    "{{ 'a' + none }}",
    "{{ 'a' + missing }}",
    "{{ missing + 'a' }}",
    "{{ missing + 1 }}",
    "{{ 'a' + 'b' }} {{ [1] + [2] }} {{ (1,) + (2,) }}",
    "{{ [1] + (2,) }}",
    "{{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ 'a' * 0 }}| {{ 'a' * -1 }}| {{ [1, 2] * 2 }} {{ 'a' * true }}",
    "{{ 'a' * 1.5 }}",
    "{{ 'a' * 'b' }}",
    "{{ '%s-%d' % ('a', 2) }} {{ '%s' % 'x' }} {{ '%.2f' % 1.5 }} {{ '%05d|%-5s|%5s' % (42, 'a', 'b') }} {{ '%x %X %o' % (255, 255, 8) }} {{ '100%%' % () }}",
    "{{ '%(a)s' % {'a': 1} }}",
    "{{ '%d' % 'a' }}",
    "{{ '%s %s' % 'a' }}",
    "{{ 'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1] }}",
    "{{ 1 ~ 2 }} {{ 1 ~ 2 + 3 }} {{ 1 + 2 ~ 3 }} {{ 2 * 3 ~ 4 }} {{ 'a' ~ missing ~ 'b' }}",
    "{{ 'a' ~ 'b' | upper }} {{ 'a' + 'b' | upper }} {{ ('a' ~ 'b') | upper }}",
    "{{ 'a' ~ 'b' in 'cab' }}",
    "{{ 1 + 2 | string }}",
    "{{ -1 | abs }} {{ (-1) | abs }} {{ -2 ** 2 | abs }} {{ - 3 | string }}",
    "{{ 2 | string * 3 }}",
)

# Comparisons and logic
probe(
    "{{ 1 < 2 }} {{ 2 <= 2 }} {{ 3 > 4 }} {{ 3 >= 4 }} {{ 1 == 1.0 }} {{ 1 != 1 }} {{ 1 == true }} {{ 0 == false }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 2 > 1 }} {{ 1 < 2 == true }} {{ 1 == 1 != 2 }} {{ 1 < 2 in [2] }}",
    "{{ 'a' < 'b' }} {{ 'B' < 'a' }} {{ 'a' < 'aa' }} {{ 'é' > 'z' }} {{ '10' < '9' }} {{ [1, 2] < [1, 3] }} {{ (1,) < (1, 2) }} {{ [] < [1] }}",
    "{{ 1 < 'a' }}",
    "{{ 'a' < 1 }}",
    "{{ none < 1 }}",
    "{{ {} < {} }}",
    "{{ missing < 1 }}",
    "{{ [1] < ['a'] }}",
    "{{ 1 == '1' }} {{ none == none }} {{ none == false }} {{ [] == [] }} {{ [1] == [1.0] }} {{ [1] == (1,) }} {{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }}",
    "{{ missing == missing }} {{ missing == none }} {{ missing == '' }} {{ missing != other }} {{ missing == false }}",
    "{{ 'é' == 'e\u0301' }} {{ '\u00c5' == '\u212b' }}",
    "{{ 1 in [1, 2] }} {{ 1.0 in [1] }} {{ 'a' in 'cab' }} {{ '' in 'abc' }} {{ 'a' in {'a': 1} }} {{ 1 in {'a': 1} }} {{ 1 not in [2] }} {{ 'x' not in 'abc' }} {{ none in [none] }} {{ [] in [[]] }} {{ 2 in range(3) }} {{ 'e' in 'é' }} {{ 'a' in ('a', 'b') }}",
    "{{ 1 in 'abc' }}",
    "{{ none in 'abc' }}",
    "{{ 'a' in none }}",
    "{{ 'a' in 5 }}",
    "{{ 'a' in missing }} {{ 'a' not in missing }}",
    "{{ missing in 'abc' }}",
    "{{ missing in ['a'] }} {{ missing in [] }}",
    "{{ [1] in {'a': 1} }}",
    "{{ not 1 in [1] }} {{ not (1 in [1]) }} {{ not true == false }} {{ not not 1 }}",
    "{{ 1 and 2 }} {{ 0 and 2 }} {{ 1 or 2 }} {{ 0 or 2 }} {{ '' or 'x' }} {{ none and 1 }} {{ [] or {} }} {{ 0 or none }} {{ '' and 1 }}|",
    "{{ missing or 'x' }} {{ missing and 'x' }}| {{ not missing }} {{ 'x' and missing }}|",
    "{{ true or 1 / 0 }} {{ false and 1 / 0 }}",
    "{{ true and false or true }} {{ true or false and false }} {{ not true or true }} {{ not (true or true) }}",
    "{{ 1 if true }} {{ 1 if false }}| {{ 1 if true else 2 }} {{ 1 if false else 2 }} {{ 1 if false else 2 if false else 3 }}",
    "{{ (1 if false) is defined }} {{ (1 if false) | default('d') }}",
    "{{ (1 if false) + 'a' }}",
    "{{ (1 if false).x }}",
    "{{ 'a' ~ ('b' if false) ~ 'c' }} {{ 'a' + ('b' if true else 'c') }} {{ 'a' + 'b' if true else 'c' }} {{ 'x' if 1 > 2 else 'y' | upper }}",
    "{{ 1 if missing else 2 }} {{ 1 if '' else 2 }} {{ 1 if 'a' else 2 }} {{ 1 if [] else 2 }} {{ 1 if [0] else 2 }} {{ 1 if {} else 2 }} {{ 1 if 0.0 else 2 }} {{ 1 if '0' else 2 }} {{ 1 if ' ' else 2 }} {{ 1 if range(0) else 2 }} {{ 1 if () else 2 }}",
    "{% if 0 %}a{% elif none %}b{% elif [] %}c{% elif 1 %}d{% else %}e{% endif %}",
    "{% if false %}a{% else %}b{% endif %}",
    "{% if a is defined and a %}x{% else %}y{% endif %}",
    "{% if not a %}x{% endif %}{% if a == none %}y{% endif %}{% if a is none %}z{% endif %}",
    "{% if true and %}{% endif %}",
    "{% if 1 = 1 %}{% endif %}",
    "{% elif true %}",
    "{% else if true %}",
    "{% if true %}a{% else %}b{% else %}c{% endif %}",
    "{% if true %}a{% elseif true %}b{% endif %}",
)

# Tests
probe(
    "{{ missing is defined }} {{ missing is undefined }} {{ none is defined }} {{ d.a is defined }} {{ d.b is defined }} {{ d['b'] is undefined }} {{ d.a.b is defined }}",
    "{{ missing.x is defined }}",
    "{{ none is none }} {{ missing is none }} {{ 0 is none }} {{ none is not none }}",
    "{{ 'a' is string }} {{ 1 is string }} {{ none is string }} {{ ['a'] is string }} {{ missing is string }}",
    "{{ 1 is number }} {{ 1.5 is number }} {{ true is number }} {{ '1' is number }} {{ none is number }}",
    "{{ 1 is integer }} {{ 1.0 is integer }} {{ true is integer }} {{ '1' is integer }}",
    "{{ 1 is float }} {{ 1.0 is float }} {{ '1.0' is float }}",
    "{{ true is boolean }} {{ false is boolean }} {{ 1 is boolean }} {{ none is boolean }}",
    "{{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ none is false }}",
    "{{ {} is mapping }} {{ [] is mapping }} {{ 'a' is mapping }} {{ dict(a=1) is mapping }} {{ namespace() is mapping }} {{ none is mapping }}",
    "{{ [] is sequence }} {{ () is sequence }} {{ 'a' is sequence }} {{ {} is sequence }} {{ 1 is sequence }} {{ range(3) is sequence }} {{ none is sequence }} {{ missing is sequence }}",
    "{{ [] is iterable }} {{ 'a' is iterable }} {{ {} is iterable }} {{ 1 is iterable }} {{ none is iterable }} {{ missing is iterable }} {{ range(3) is iterable }} {{ ([] | map('upper')) is iterable }}",
    "{{ ([1] | map('string')) is sequence }} {{ ([1] | map('string')) is string }} {{ {}.items() is sequence }} {{ {}.items() is iterable }} {{ {}.keys() is mapping }}",
    "{{ 2 is even }} {{ 3 is even }} {{ 0 is even }} {{ -2 is even }} {{ 3 is odd }} {{ -3 is odd }} {{ 2.0 is even }} {{ true is odd }}",
    "{{ 'a' is even }}",
    "{{ none is odd }}",
    "{{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 9 is not divisibleby 2 }}",
    "{{ 9 is divisibleby 0 }}",
    "{{ 9 is divisibleby }}",
    "{{ 1 is equalto 1 }} {{ 1 is eq 1.0 }} {{ 1 is == 1 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 1 is lessthan 2 }} {{ 2 is gt 1 }} {{ 2 is greaterthan 1 }} {{ 1 is le 1 }} {{ 1 is ge 2 }}",
    "{{ 1 is in [1, 2] }} {{ 'a' is in 'abc' }} {{ 'a' is in({'a': 1}) }} {{ 1 is not in [1] }}",
    "{{ none is sameas none }} {{ true is sameas 1 }} {{ missing is sameas missing }}",
    "{{ 'abc' is lower }} {{ 'Abc' is lower }} {{ '' is lower }} {{ '1' is lower }} {{ 'ABC' is upper }} {{ 'AbC' is upper }} {{ 'ß' is lower }}",
    "{{ 1 is lower }}",
    "{{ range is callable }} {{ 'a' is callable }} {{ 'a'.upper is callable }} {{ missing is callable }} {{ raise_exception is callable }} {{ namespace is callable }}",
    "{{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'even' is test }} {{ 'nope' is test }}",
    "{{ 'a' is escaped }}",
    "{{ 1 is nosuchtest }}",
    "{% if false %}{{ 1 is nosuchtest }}{% endif %}ok",
    "{{ true if missing is nosuchtest else false }}",
    "{{ 1 is number and 2 is number }} {{ not 1 is number }} {{ 1 is not number }} {{ 1 + 1 is number }} {{ 'a' ~ 1 is string }} {{ 1 is number == true }}",
    "{{ 1 is divisibleby 2 or true }} {{ 4 is divisibleby 1 + 1 }}",
    "{{ 1 is string or 'b' is string }} {{ [1, 2] is sequence and [1, 2] is not string }}",
    "{{ 2 is even is true }}",
    "{{ d is mapping }} {{ d.l is sequence }} {{ d.s is string }} {{ d.n is none }} {{ d.f is float }} {{ d.i is integer }} {{ d.t is boolean }}",
    d={"a": 1, "l": [1], "s": "x", "n": None, "f": 1.0, "i": 3, "t": True},
)

# Undefined, attributes, items
probe(
    "[{{ missing }}]",
    "{{ missing.x }}",
    "{{ missing['x'] }}",
    "{{ missing[0] }}",
    "{{ missing() }}",
    "{{ missing.x() }}",
    "{{ d.nope }}|{{ d['nope'] }}|{{ l[9] }}|{{ l[-9] }}|{{ s[99] }}|{{ l.nope }}|{{ none.x }}|{{ 1 .x }}|{{ s.nope }}|",
    "{{ d.nope.x }}",
    "{{ d['nope']['x'] }}",
    "{{ d.nope['x'] }}",
    "{{ l[9].x }}",
    "{{ l.nope.x }}",
    "{{ none.x.y }}",
    "{{ none['x'].y }}",
    "{{ s.nope.x }}",
    "{{ s[99].x }}",
    "{{ 5 .x.y }}",
    "{{ true.x.y }}",
    "{{ (1.5).x.y }}",
    "{{ namespace(a=1).b.c }}",
    "{{ (1, 2).x.y }}",
    "{{ range(3).x.y }}",
    "{{ d.nope() }}",
    "{{ s.nope() }}",
    "{{ d.a() }}",
    "{{ 'a'() }}",
    "{{ none() }}",
    "{{ l() }}",
    "{% for x in missing %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in d.nope %}{{ x }}{% endfor %}",
    "{{ missing | length }} {{ missing | upper }} {{ missing | join(',') }} {{ missing | list }} {{ missing | first }} {{ missing | trim }}|{{ missing | string }}|{{ missing | int }} {{ missing | float }}",
    "{{ missing | tojson }}",
    "{{ [missing] }} {{ [missing] | join }} {{ {'a': missing} }}",
    "{{ [missing] | tojson }}",
    "{{ -missing }}",
    "{{ missing * 2 }}",
    "{{ l[missing] }}|",
    "{{ d[missing] }}|",
    "{{ s[missing] }}|",
    "{{ s * missing }}",
    "{{ missing[1:] }}",
    "{{ missing.x | default('d') }}",
    "{{ missing | default('d') }} {{ d.nope | default('d') }} {{ none | default('d') }} {{ none | default('d', true) }} {{ '' | default('d') }}| {{ '' | default('d', true) }} {{ 0 | default(1, boolean=true) }} {{ missing | default }}| {{ missing | d('x') }} {{ false | d('x', boolean=false) }} {{ d.a | d('x') }} {{ missing | default(default_value='k') }}",
    "{{ d.a }} {{ d['a'] }} {{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.n.m }} {{ d['n']['m'] }} {{ d['n'].m }} {{ d.l[0] }} {{ d.l.0 }}",
    "{{ c.items is callable }} {{ c['items'] }} {{ c.keys is callable }} {{ c['keys'] }} {{ c.get('items') }} {{ c.x }} {{ c.items is sequence }}",
    "{{ c.items() }}",
    "{{ d['items'] is callable }} {{ d.items is callable }} {{ d['items'] is defined }}",
    "{{ d['get']('a') }}",
    "{{ l[0] }} {{ l[-1] }} {{ l[1:] }} {{ l[:-1] }} {{ l[::-1] }} {{ l[::2] }} {{ l[1:3] }} {{ l[5:] }} {{ l[:100] }} {{ l[-2:] }} {{ l[:] }} {{ l[3:1] }} {{ l[-100:2] }} {{ l[::-2] }} {{ l[2::-1] }} {{ l[:1:-1] }} {{ l[none:2] }}",
    "{{ s[0] }} {{ s[-1] }} {{ s[1:] }} {{ s[:-1] }} {{ s[::-1] }} {{ s[1:3] }} {{ s[5:] }}| {{ s[-2:] }}",
    "{{ (1, 2, 3)[1:] }} {{ (1, 2, 3)[0] }} {{ range(10)[2:5] }} {{ range(10)[3] }} {{ range(5)[-1] }}",
    "{{ l[1:2:0] }}",
    "{{ l['a'] }}|{{ l['0'] }}|{{ l[1.0] }}|{{ l[true] }}",
    "{{ l['a':] }}",
    "{{ d[1:] }}",
    "{{ 5[1:] }}",
    "{{ none[1:] }}",
    "{{ l[0, 1] }}|{{ d['a', 'b'] }}|",
    "{{ d[0] }}|{{ d[none] }}|{{ d[l] }}",
    "{{ {1: 'a', '1': 'b'}[1] }}{{ {1: 'a', '1': 'b'}['1'] }}{{ {1: 'a'}[true] }}{{ {1: 'a'}[1.0] }}{{ {(1, 2): 'a'}[1, 2] }}",
    "{{ 'é🙂日'[1] }}{{ 'é🙂日' | length }}{{ '🇩🇪' | length }}{{ 'e\u0301' | length }}{{ 'e\u0301'[0] }}{{ '👩‍👩‍👧'[:1] }}{{ '\r\n' | length }}",
    "{{ l.first }}|{{ l.length }}|{{ s.length }}|{{ d.length }}",
    "{{ d['n']['nope'] is defined }}{{ d.n.nope is not defined }}",
    "{{ self }}",
    "{{ loop }}",
    "{{ loop.index }}",
    "{{ varargs }}",
    "{{ caller() }}",
    "{{ super() }}",
    d={"a": 1, "n": {"m": 2}, "l": [7]},
    c={"items": [1], "keys": "k", "x": 2},
    l=[1, 2, 3, 4],
    s="abcd",
)

# How values are written
probe(
    "{{ x }}",
    "{{ [x] }}",
    "{{ x | string }}",
    "{{ x | tojson }}",
    "{{ x | tojson(indent=2) }}",
    "{{ x | tojson(indent=0) }}",
    "{{ x | tojson(indent=4, ensure_ascii=true) }}",
    "{{ x | tojson(sort_keys=true) }}",
    "{{ x | tojson(separators=(',', ':')) }}",
    "{{ x | tojson(separators=(', ', ' = '), indent=1) }}",
    "{{ x | tojson(true) }}",
    "{{ x | tojson(false, 3) }}",
    "{{ x | tojson(indent='\t') }}",
    "{{ x | pprint }}",
    "{{ x | length }}",
    x={
        "s": "it's \"q\" \\ \n\t\r \x00\x7f\x1b é 日 🙂 \u2028 \ud7ff / <b>&",
        "z": 1,
        "a": [1.0, -0.5, 1e20, 1e-7, 12345678901234567890, True, None, [], {}, [[1, {"b": {}}]]],
        "é": {"y": "", "x": "'"},
        "": "\"",
    },
)
probe(
    "{{ [true, false, none, 1, 1.0, 'a', \"it's\", 'q\"q', 'b\\'\"b'] }}",
    r"{{ ['\n\t\r\\', '\x00\x1f\x7f', 'é日🙂', '\u00a0\u00ad\u200b\u2028', '\ue000\ufeff'] }}",
    "{{ ['\u0301', 'e\u0301', '\u3000', '\U000e0001', '\u0378'] }}",
    "{{ ('a',) }} {{ ('a', 1) }} {{ [('a',)] }} {{ {'t': (1,)} }} {{ {1: 'a', 1.5: 'b', none: 'c', false: 'd', (1, 2): 'e'} }}",
    "{{ {1: 'a', 1.5: 'b', none: 'c', false: 'd'} | tojson }}",
    "{{ {(1, 2): 'e'} | tojson }}",
    "{{ {'b': 1, 1: 2} | tojson(sort_keys=true) }}",
    "{{ (1, 2) | tojson }} {{ [] | tojson(indent=2) }} {{ {} | tojson(indent=2) }} {{ [[], {}] | tojson(indent=2) }} {{ 'a' | tojson }} {{ none | tojson }} {{ true | tojson }} {{ 1.0 | tojson }} {{ (1e308 * 10) | tojson }} {{ (1e308 * 10 - 1e308 * 10) | tojson }} {{ 2 ** 70 | int | tojson }} {{ (2 ** 70) | tojson }}",
    "{{ range(3) | tojson }}",
    "{{ {}.items() | tojson }}",
    "{{ namespace(a=1) | tojson }}",
    "{{ ([1, 2] | map('string')) | tojson }}",
    "{{ ([1, 2] | map('string') | list) | tojson }}",
    "{{ '<b> & \\'x\\'' | tojson }} {{ '\\u0000\\u001f\\u007f\\u0080' | tojson }} {{ '🙂é' | tojson(ensure_ascii=true) }}",
    "{{ {'a': 1} | tojson(indent=2, nope=1) }}",
    "{{ [1, {'a': [2, 3]}] | tojson(indent=none) }}{{ [1, 2] | tojson(indent=-1) }}{{ [1, 2] | tojson(indent=true) }}",
    "{{ range(3) }} {{ range(1, 3) }} {{ range(1, 9, 2) }} {{ range(3) | list }} {{ range(5, 0, -2) | list }} {{ range(0) | list }}",
    "{{ {'a': 1}.items() }} {{ {'a': 1}.keys() }} {{ {'a': 1}.values() }} {{ {'a': 1}.items() | list }} {{ {'a': 1} | list }}",
    "{{ namespace(a=1, b='x') }} {{ namespace() }} {{ namespace({'a': 1}, b=2).a }}",
    "{{ 1e5 }} {{ 100000.0 }} {{ 1e15 | int }} {{ 123456.789e3 }} {{ 1.10 }} {{ 0.1 }} {{ 1e-5 }} {{ 1.0e-4 }} {{ 12.0e-1 }}",
    "{{ 5 | float }} {{ '1.50' | float }} {{ 3.0 | int }} {{ 1e300 | int | string | length }}",
    "{{ ['\\\\'] }} {{ '\\\\' }} {{ ['\\\\n'] }}",
    "{{ [''] }} {{ [[['x']]] }} {{ {'k': {'k': []}} }}",
    "{{ [1, 2, 3] ~ '' }} {{ {'a': none} ~ '' }} {{ 'x' ~ {'a': 'b'} }} {{ (none, true) ~ '' }}",
    "{{ none }}{{ '' ~ none }}{{ [none] | join }}{{ none | string }}",
)

# Filters
probe(
    "{{ -5 | abs }} {{ n | abs }} {{ (-1.5) | abs }}",
    "{{ 'a' | abs }}",
    "{{ [1,2,3,4,5] | batch(2) | list }} {{ [1,2,3] | batch(2, 'x') | list }} {{ [] | batch(2) | list }}",
    "{{ 'hELLO wORLD é' | capitalize }} {{ 'éa' | capitalize }} {{ '' | capitalize }} {{ 5 | capitalize }} {{ 'ßx' | capitalize }}",
    "[{{ 'a' | center(5) }}] [{{ 'ab' | center(5) }}] [{{ 'abc' | center(2) }}]",
    "{{ [1,2] | count }} {{ [1,2] | length }} {{ 'abc' | length }} {{ {'a':1} | length }} {{ range(4) | length }} {{ (1,) | count }}",
    "{{ 5 | length }}",
    "{{ none | length }}",
    "{{ ([1] | map('string')) | length }}",
    "{{ {'b': 1, 'A': 2, 'c': 0} | dictsort }} {{ {'b': 1, 'A': 2, 'c': 0} | dictsort(true) }} {{ {'b': 1, 'A': 2} | dictsort(by='value') }} {{ {'b': 1, 'A': 2} | dictsort(false, 'value', true) }} {{ {'b': 1, 'a': 2} | dictsort(reverse=true) }}",
    "{{ {'b': 1} | dictsort(by='nope') }}",
    "{{ {'b': 1, 2: 1} | dictsort }}",
    "{% for k, v in {'b': 1, 'a': [2]} | dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{{ '<a href=\"x\">\\'&' | escape }} {{ '<' | e }} {{ '<' | escape | escape }} {{ 5 | e }} {{ none | e }} {{ '<' | forceescape }}",
    "{{ ('<' | e) ~ '<' }} {{ ('<' | e) + '<' }} {{ '<' + ('<' | e) }} {{ ['<' | e] }} {{ '<' | e | length }}",
    "{{ '<' | safe }} {{ '<' | safe | e }} {{ ('<' | safe) is escaped }}",
    "{{ [1,2] | first }} {{ 'abc' | first }} {{ [] | first }}| {{ {'a': 1} | first }} {{ range(3) | first }}",
    "{{ ([] | first).x }}",
    "{{ [1,2] | last }} {{ 'abc' | last }} {{ [] | last }}| {{ {'a': 1, 'b': 2} | last }} {{ (1,2) | last }}",
    "{{ ([] | last).x }}",
    "{{ 5 | first }}",
    "{{ none | first }}",
    "{{ ([1, 2] | map('string')) | last }}",
    "{{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(2.5) }} {{ none | float }} {{ 3 | float }} {{ true | float }} {{ ' 1e3 ' | float }} {{ 'inf' | float }} {{ 'nan' | float }} {{ '1_0' | float }}",
    "{{ '%s is %d' | format('a', 3) }} {{ '%(a)s' | format(a=1) }} {{ '%.3f' | format(2) }} {{ '%5.1f|%e|%g|%r|%c' | format(1.25, 1500, 0.0001, 'a', 'b') }} {{ '%+d % d %#x %03d %-4d|' | format(5, 5, 255, 7, 8) }}",
    "{{ '%s' | format('a', b=1) }}",
    "{{ '%s %s' | format('a') }}",
    "{{ '%s' | format('a', 'b') }}",
    "{{ '%y' | format('a') }}",
    "{% for g, items in users | groupby('age') %}{{ g }}: {{ items | map(attribute='name') | join(',') }};{% endfor %}",
    "{{ users | groupby('city') | map('first') | list }} {{ (users | groupby('city') | list)[0].grouper }} {{ (users | groupby('city') | list)[0].list | length }}",
    "{{ users | groupby('nope', default='x') | map('first') | list }}",
    "{{ users | groupby('nope') }}",
    "{{ users | groupby('name', case_sensitive=true) | map(attribute='grouper') | join }}",
    "{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(2) }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'a\\n\\nb' | indent(2, blank=true) }}|{{ 'a\\nb' | indent('> ') }}|{{ 'a\\nb' | indent(width=1, first=true) }}|{{ '' | indent(2, true) }}|{{ 'a\\n' | indent }}|{{ 'a\\r\\nb' | indent(1) }}",
    "{{ '42' | int }} {{ '4.7' | int }} {{ 4.7 | int }} {{ -4.7 | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ 'ff' | int(base=16) }} {{ '0xff' | int(0, 16) }} {{ '0b11' | int(base=2) }} {{ '077' | int(base=8) }} {{ ' 5 ' | int }} {{ true | int }} {{ none | int }} {{ '1_000' | int }} {{ '0x1A' | int(base=0) }} {{ 'inf' | int }} {{ '-3' | int }} {{ '１２' | int }} {{ [] | int(7) }}",
    "{{ (1e308 * 10) | int }}",
    "{{ d | items | list }} {% for k, v in d | items %}{{ k }}={{ v }},{% endfor %} {{ missing | items | list }}",
    "{% for k, v in [1] | items %}{% endfor %}",
    "{% for k, v in 'a' | items %}{% endfor %}",
    "{{ none | items | list }}",
    "{{ [1, 'a', none, true, 1.5] | join }} {{ [1, 2] | join(', ') }} {{ 'abc' | join('-') }} {{ [] | join(',') }}| {{ users | join(',', attribute='name') }} {{ {'a': 1, 'b': 2} | join('+') }} {{ [1, 2] | join(d='/') }} {{ [[1], 'x'] | join(',') }} {{ [1, 2] | join(0) }} {{ ('a', 'b') | join(none) }}",
    "{{ 5 | join }}",
    "{{ none | join(',') }}",
    "{{ users | join(',', 'nope') }}|",
    "{{ ['<', '<' | e] | join }}",
    "{{ 'abc' | list }} {{ {'a': 1} | list }} {{ (1, 2) | list }} {{ range(2) | list }}",
    "{{ 5 | list }}",
    "{{ 'ÀB' | lower }} {{ 5 | lower }} {{ none | lower }} {{ ['A'] | lower }} {{ 'aß' | upper }} {{ 'i' | upper }} {{ true | upper }} {{ 'İ' | lower }} {{ 'ΑΣ' | lower }} {{ 'ǆ' | title }} {{ 'ﬁ' | upper }}",
    "{{ users | map(attribute='name') | list }} {{ users | map(attribute='nope') | list }} {{ users | map(attribute='nope', default='x') | list }} {{ users | map(attribute='nested.deep') | list }} {{ [[1, 2], [3]] | map(attribute=0) | list }} {{ [[1, 2], [3, 4]] | map(attribute='1') | list }}",
    "{{ ['a', 'b'] | map('upper') | list }} {{ ['a', 'b'] | map('replace', 'a', 'x') | list }} {{ [1, 2] | map('string') | join('-') }} {{ ['1', '2'] | map('int') | sum }} {{ ['a'] | map('default', 'x') | list }} {{ [' a '] | map('trim') | list }} {{ [[3, 1]] | map('sort') | list }} {{ [[1, 2]] | map('join', ',') | list }} {{ ['x'] | map('indent', 2, true) | list }} {{ [{'b': 1}] | map('tojson', indent=1) | list }} {{ ['ab'] | map('length') | list }}",
    "{{ ['a'] | map('nosuchfilter') | list }}",
    "{{ ['a'] | map() | list }}",
    "{{ ['a'] | map('upper', 'x') | list }}",
    "{{ ['a'] | map(nope='x') | list }}",
    "{{ none | map('upper') | list }}",
    "{{ 5 | map('upper') | list }}",
    "{{ missing | map('upper') | list }} {{ missing | selectattr('x') | list }}",
    "{{ [3, 1, 2] | max }} {{ [3, 1, 2] | min }} {{ ['b', 'A'] | max }} {{ ['b', 'A'] | min(case_sensitive=true) }} {{ users | max(attribute='age') }} {{ [] | max }}| {{ 'hello' | max }} {{ [1, 2.5] | max }} {{ [true, 0] | min }}",
    "{{ ['a', 1] | max }}",
    "{{ [1, 2, 3, 4] | reject('even') | list }} {{ [1, 0, none, 'a', ''] | reject | list }} {{ [1, 2, 3] | reject('gt', 1) | list }} {{ [1, 2, 3] | reject('in', [1, 2]) | list }}",
    "{{ users | rejectattr('admin') | map(attribute='name') | list }} {{ users | rejectattr('age', 'gt', 30) | map(attribute='name') | list }} {{ users | rejectattr('nope', 'defined') | list | length }} {{ users | rejectattr('name', 'equalto', 'Bob') | map(attribute='name') | list }}",
    "{{ [1, 2, 3, 4] | select('even') | list }} {{ [1, 0, none, 'a', ''] | select | list }} {{ [1, 'a', none] | select('string') | list }} {{ [1, 2, 3] | select('divisibleby', 3) | list }} {{ ['a', none] | select('ne', none) | list }} {{ [1, 2] | select('equalto', 2) | first }} {{ 'abc' | select('in', 'ac') | join }} {{ {'a': 1} | select('string') | list }}",
    "{{ users | selectattr('admin') | map(attribute='name') | list }} {{ users | selectattr('name', 'equalto', 'Bob') | list | length }} {{ users | selectattr('city', 'defined') | map(attribute='name') | list }} {{ users | selectattr('nested.deep', 'eq', 1) | map(attribute='name') | list }} {{ users | selectattr('age', 'in', [30]) | map(attribute='name') | first }} {{ users | selectattr('name', 'ne', 'Bob') | list | length }} {{ users | selectattr('nope') | list }}",
    "{{ [1] | select('nosuchtest') | list }}",
    "{{ users | selectattr | list }}",
    "{{ users | selectattr('name', 'nosuchtest') | list }}",
    "{{ [1] | select(1) | list }}",
    "{{ [1] | selectattr('x', 'defined') | list }} {{ ['abc'] | selectattr('upper', 'callable') | list }}",
    "{{ 'aXbX' | replace('X', 'y') }} {{ 'aXbX' | replace('X', 'y', 1) }} {{ 'aaa' | replace('aa', 'b') }} {{ 'abc' | replace('', '-') }} {{ 5 | replace('5', '6') }} {{ 'a' | replace('b', 'c') }} {{ 'a.b' | replace('.', '\\n') }} {{ 'aaaa' | replace('a', 'b', count=2) }} {{ '' | replace('', 'x') }} {{ 1.5 | replace(1, 2) }}",
    "{{ 'a' | replace('a') }}",
    "{{ 'a<' | replace('a', '<' | e) }}",
    "{{ 'abc' | reverse }} {{ [1, 2] | reverse | list }} {{ (1, 2) | reverse | list }} {{ range(3) | reverse | list }} {{ {'a': 1, 'b': 2} | reverse | list }} {{ 'e\u0301x' | reverse }}",
    "{{ 5 | reverse }}",
    "{{ 2.5 | round }} {{ 3.5 | round }} {{ -2.5 | round }} {{ 2.567 | round(2) }} {{ 2.561 | round(2, 'ceil') }} {{ 2.567 | round(1, 'floor') }} {{ 42 | round }} {{ 42.55 | round(1) }} {{ 1234 | round(-2) }} {{ 2.675 | round(2) }} {{ -0.4 | round }} {{ 0.5 | round }} {{ 1e20 | round }} {{ 2.4 | round(method='ceil') }} {{ 42 | round(1, 'floor') }} {{ 42.7 | round | int }}",
    "{{ 1 | round(0, 'nope') }}",
    "{{ 'a' | round }}",
    "{{ [1,2,3,4,5,6,7] | slice(3) | list }} {{ [1,2,3,4] | slice(3, 'x') | list }} {{ [] | slice(2) | list }} {{ 'abcde' | slice(2) | list }}",
    "{{ [3, 1, 2] | sort }} {{ [3, 1, 2] | sort(true) }} {{ [3, 1] | sort(reverse=true) }} {{ ['b', 'A', 'a', 'B'] | sort }} {{ ['b', 'A', 'a', 'B'] | sort(case_sensitive=true) }} {{ users | sort(attribute='age') | map(attribute='name') | list }} {{ users | sort(attribute='age,name') | map(attribute='name') | list }} {{ users | sort(attribute='name', reverse=true) | map(attribute='name') | join }} {{ 'cab' | sort }} {{ {'b': 1, 'a': 2} | sort }} {{ [1.5, 1, true] | sort }} {{ [[2, 1], [1, 9]] | sort(attribute=1) }} {{ [] | sort }} {{ [(1, 'b'), (1, 'a')] | sort }}",
    "{{ [1, 'a'] | sort }}",
    "{{ [1, none] | sort }}",
    "{{ [{}, {}] | sort }}",
    "{{ users | sort(attribute='nope') }}",
    "{{ 5 | string }} {{ none | string }} {{ [1, 'a'] | string }} {{ 'x' | string }} {{ 1.0 | string }} {{ true | string | length }} {{ {'a': 'b'} | string }}",
    "{{ '<p>a  <b>b</b>\\n c</p><!-- x -->&amp;&lt;' | striptags }} {{ '1 < 2 > 3' | striptags }} {{ 5 | striptags }}",
    "{{ [1, 2, 3] | sum }} {{ [] | sum }} {{ [1.5, 2] | sum }} {{ users | sum(attribute='age') }} {{ [1] | sum(start=10) }} {{ [[1], [2]] | sum(start=[]) }} {{ [true, true] | sum }} {{ [0.1, 0.2, 0.3] | sum }} {{ [1, 2] | sum(none, 3) }}",
    "{{ ['a', 'b'] | sum }}",
    "{{ ['a'] | sum(start='') }}",
    "{{ \"hello wORLD it's a-b (c) x_y 3d\" | title }} {{ \"they're\".title() }} {{ 'a-b_c d\\te' | title }} {{ 'a-b_c 3d'.title() }} {{ 'élan' | title }}",
    "[{{ '  a \\n' | trim }}] [{{ 'xxaxx' | trim('x') }}] [{{ 'abcba' | trim('ab') }}] [{{ 5 | trim }}] [{{ '\\u00a0a\\u3000' | trim }}] [{{ '\\u200ba\\ufeff' | trim | length }}] [{{ none | trim }}] [{{ ' a ' | trim(none) }}] [{{ 'a' | trim('') }}] [{{ '..a' | trim(chars='.') }}] [{{ '\\x1c\\x1d\\x85a\\x1f' | trim }}]",
    "{{ 'hello big world' | truncate(9) }} {{ 'hello big world' | truncate(9, true) }} {{ 'hello big world' | truncate(9, true, '…') }} {{ 'hello' | truncate(5) }} {{ 'hello big world' | truncate(11) }} {{ 'hello big world' | truncate(11, leeway=0) }} {{ 'hello big world' | truncate(length=10, killwords=false, end='--', leeway=0) }} {{ ('a' * 300) | truncate | length }}",
    "{{ 'hello' | truncate(1) }}",
    "{{ [1, 2, 1, 'a', 'A'] | unique | list }} {{ ['a', 'A', 'b'] | unique(true) | list }} {{ users | unique(attribute='city') | map(attribute='name') | list }} {{ 'hello' | unique | join }} {{ [1, 1.0, true] | unique | list }}",
    "{{ [[1], [1]] | unique | list }}",
    "{{ 'a b/c?d=é&f' | urlencode }} {{ {'a b': 'c&d', 'e': 1} | urlencode }} {{ [('a', 1), ('b', '/')] | urlencode }} {{ 5 | urlencode }} {{ \"~-_.!*'()\" | urlencode }}",
    "{{ 'see https://a.b/c and x' | urlize }}",
    "{{ 'one two  three-four é' | wordcount }} {{ '' | wordcount }} {{ \"it's\" | wordcount }} {{ 5 | wordcount }}",
    "{{ 'the quick brown fox' | wordwrap(10) }}|{{ 'abcdefghijkl xy' | wordwrap(5) }}|{{ 'abcdefghijkl xy' | wordwrap(5, false) }}|{{ 'a b c' | wordwrap(3, wrapstring='/') }}|{{ 'a b\\n\\nc d e' | wordwrap(3) }}|{{ 'aa-bb cc' | wordwrap(4) }}|{{ 'aa-bb' | wordwrap(4, break_on_hyphens=false) }}",
    "{{ {'class': 'a b', 'x': none, 'n': 5, 'q': '\"<'} | xmlattr }}| {{ {'a': 1} | xmlattr(false) }}| {{ {} | xmlattr }}| {{ {'m': missing, 'z': true} | xmlattr }}",
    "{{ {'a b': 1} | xmlattr }}",
    "{{ 1536 | filesizeformat }} {{ 1536 | filesizeformat(true) }} {{ 1 | filesizeformat }} {{ 0 | filesizeformat }} {{ 3000000 | filesizeformat }}",
    "{{ users[0] | attr('name') }}| {{ 'a' | attr('upper') is callable }} {{ namespace(a=1) | attr('a') }}| {{ users[0] | attr('items') is callable }}",
    "{{ [1] | attr('nope') is defined }}",
    "{{ 1 | nosuchfilter }}",
    "{% if false %}{{ 1 | nosuchfilter }}{% endif %}ok",
    "{{ (1 | nosuchfilter) if false else 'ok' }}",
    "{{ 'a' | upper | lower | capitalize }} {{ 'a' | upper() }} {{ ['b', 'a'] | sort | join(',') | upper }} {{ 'abc' | replace('a', 'x') | upper | length + 1 }}",
    "{{ 'a' | upper('x') }}",
    "{{ 'a' | upper(x=1) }}",
    "{{ 'a'|upper ~ 'b'|upper }} {{ 'abc'[1]|upper }} {{ {'a': 'x'}.a|upper }} {{ 'a'.upper()|lower }} {{ ('a')|upper.lower() }}",
    "{{ [1, 2] | length > 1 }} {{ not [] | length }} {{ [1] | length == 1 and true }} {{ 'a' in ['A'] | map('lower') }} {{ ['b'] | first is string }}",
    "{{ 'abc' | random in 'abc' }}",
    users=[
        {"name": "Bob", "age": 30, "city": "Köln", "nested": {"deep": 1}, "admin": True},
        {"name": "amy", "age": 25, "city": "bonn", "nested": {"deep": 2}, "admin": False},
        {"name": "Cid", "age": 30, "city": "Bonn", "nested": {"deep": 1}, "admin": False},
    ],
    d={"b": 1, "a": None},
    n=-3,
)

# Methods of strings
probe(
    "[{{ '  a\\n'.strip() }}] [{{ 'xax'.strip('x') }}] [{{ ' a '.lstrip() }}] [{{ ' a '.rstrip() }}] [{{ 'xxa'.lstrip('x') }}] [{{ 'aXY'.rstrip('YX') }}] [{{ '\\na\\n'.strip('\\n') }}] [{{ ' a '.strip(none) }}] [{{ '\\u2003a\\x85'.strip() }}] [{{ 'a'.strip('') }}]",
    "{{ 'a'.strip(1) }}",
    "{{ 'a b  c'.split() }} {{ ' a '.split() }} {{ ''.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b'.split(',', maxsplit=0) }} {{ 'a b c'.split(none, 1) }} {{ ' a b  c '.split(maxsplit=1) }} {{ 'abc'.split('x') }} {{ ''.split(',') }} {{ 'a</think>b</think>c'.split('</think>')[-1] }} {{ 'a--b'.split(sep='--') }} {{ 'a\\u00a0b\\u200bc'.split() }} {{ 'a,b,c'.split(',', -1) }}",
    "{{ 'a'.split('') }}",
    "{{ 'a'.split(1) }}",
    "{{ 'a,b,c'.rsplit(',', 1) }} {{ 'a b c'.rsplit() }} {{ 'a b c '.rsplit(none, 1) }} {{ 'a,b'.rsplit(',') }}",
    "{{ 'a\\nb\\r\\nc\\rd'.splitlines() }} {{ 'a\\n'.splitlines() }} {{ 'a\\n\\nb'.splitlines(true) }} {{ ''.splitlines() }} {{ 'a\\x0bb\\x0cc\\x1cd\\x85e\\u2028f'.splitlines() }}",
    "{{ 'abc'.startswith('a') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.startswith('') }} {{ 'abc'.startswith('c', 1, 2) }} {{ 'abc'.endswith('bc') }} {{ 'abc'.endswith(('x', 'c')) }} {{ 'abc'.endswith('b', 0, 2) }} {{ 'abc'.startswith(()) }}",
    "{{ 'a'.startswith(1) }}",
    "{{ 'a'.startswith(['a']) }}",
    "{{ 'a'.startswith() }}",
    "{{ 'abcabc'.find('c') }} {{ 'abc'.find('x') }} {{ 'abcabc'.find('a', 1) }} {{ 'abcabc'.rfind('c') }} {{ 'abc'.find('') }} {{ 'abc'.rfind('') }} {{ 'abcabc'.find('c', 0, 2) }} {{ 'é🙂x'.find('x') }}",
    "{{ 'abc'.index('c') }} {{ 'abcabc'.rindex('a') }}",
    "{{ 'abc'.index('x') }}",
    "{{ 'abc'.rindex('x') }}",
    "{{ 'aaa'.replace('a', 'b') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'abc'.replace('', '-') }} {{ 'abc'.replace('', '-', 2) }} {{ 'aaa'.replace('a', 'b', -1) }} {{ 'aaa'.replace('a', 'b', 0) }}",
    "{{ 'a'.replace('a') }}",
    "{{ 'a'.replace(1, 2) }}",
    "{{ 'Abc'.upper() }} {{ 'ABC'.lower() }} {{ 'aBC dE'.title() }} {{ 'aBC dE'.capitalize() }} {{ 'aB'.swapcase() }} {{ 'ß'.casefold() }} {{ 'straße'.upper() }}",
    "{{ ','.join(['a', 'b']) }} {{ ''.join('abc') }} {{ ', '.join({'a': 1}) }} {{ '-'.join([]) }}| {{ ','.join(['a'] | map('upper')) }}",
    "{{ ','.join([1]) }}",
    "{{ ','.join(['a', none]) }}",
    "{{ ','.join(5) }}",
    "{{ '{} {}'.format('a', 1) }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=1) }} {{ '{:>5}|{:<5}|{:^5}|'.format('a', 'b', 'c') }} {{ '{:.2f} {:05d} {:,} {:x} {:b} {:e} {:%}'.format(1.5, 42, 1234567, 255, 5, 1500.0, 0.25) }} {{ '{{}}'.format() }} {{ '{!r}'.format('a') }} {{ '{0[a]}'.format({'a': 1}) }} {{ '{0[1]}'.format([1, 2]) }} {{ '{:*^7}'.format('ab') }} {{ '{:{}}|'.format('a', 3) }} {{ '{:+} {: } {:#x}'.format(1, 2, 3) }} {{ '{}'.format(none) }} {{ '{}'.format(1.0) }} {{ '{:s}'.format('x') }} {{ '{:d}'.format(3) }} {{ '{:02d}:{:02d}'.format(9, 5) }}",
    "{{ '{}'.format() }}",
    "{{ '{x}'.format() }}",
    "{{ '{'.format() }}",
    "{{ '{:d}'.format('a') }}",
    "{{ '{0.__class__}'.format(1) }}|",
    "{{ '{0.__class__.__mro__}'.format(1) }}",
    "{{ '{a.b}'.format(a={'b': 1}) }}|",
    "{{ '{0.real}'.format(1) }}",
    "{{ ''.format_map({}) }}",
    "{{ '{a}'.format_map({'a': 1}) }}",
    "{{ ('{0.__class__}' | string).format(1) }}|",
    "{% set f = '{0.__class__}'.format %}{{ f(1) }}|",
    "{{ 'banana'.count('a') }} {{ 'banana'.count('ana') }} {{ 'abc'.count('') }} {{ 'banana'.count('a', 2) }}",
    "{{ '12'.isdigit() }} {{ ''.isdigit() }} {{ '1.5'.isdigit() }} {{ '²'.isdigit() }} {{ '½'.isnumeric() }} {{ '١'.isdecimal() }} {{ 'ab'.isalpha() }} {{ 'é日'.isalpha() }} {{ 'a1'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' \\n'.isspace() }} {{ ''.isspace() }} {{ 'Ab'.istitle() }} {{ 'ab'.islower() }} {{ 'AB1'.isupper() }} {{ '1'.isupper() }} {{ 'a_1'.isidentifier() }} {{ 'é'.isascii() }} {{ '\\n'.isprintable() }}",
    "{{ '5'.zfill(3) }} {{ '-5'.zfill(4) }} {{ 'abc'.zfill(2) }} [{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '.') }}] [{{ 'a'.center(4, '*') }}] [{{ 'ab'.center(5) }}] {{ 'a\\tb'.expandtabs(4) }}",
    "{{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('bc') }} {{ 'abc'.removeprefix('x') }} {{ 'abc'.removesuffix('') }}",
    "{{ 'a=b=c'.partition('=') }} {{ 'abc'.partition('x') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.rpartition('x') }}",
    "{{ 'abc'.translate({97: 'x'}) }} {{ 'é'.encode() }} {{ 'abc'.encode('utf-8').decode() }}",
    "{{ 'a'.nope() }}",
    "{{ 'a'.upper(1) }}",
    "{{ 'a b'.split()[0].upper() }} {{ ('a' ~ 'b').upper() }} {{ 'x'.join(['a', 'b']).split('x') | length }} {{ 'a\\n'.rstrip('\\n') ~ '|' }} {{ 'abc'.split('b')[0].strip() }}",
    "{{ 'abc'.__len__() }}",
    "{{ 'abc'['upper']() }} {{ 'abc'['nope'] is defined }} {{ 'abc'.upper().lower().title() }}",
)

# Methods of dicts and lists
probe(
    "{{ d.items() | list }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 'x') }} {{ d.get('z', default) }}| {{ d.copy() }}",
    "{{ d.get() }}",
    "{{ d.get('z', default=1) }}",
    "{{ d.items()[0] }}",
    "{{ (d.items() | list)[0] }} {{ d.keys() | first }} {{ d.values() | sum }} {{ d.items() | length }} {{ d.keys() | sort | join }} {{ 'a' in d.keys() }} {{ 1 in d.values() }} {{ ('a', 1) in d.items() }} {{ d.items() | first }}",
    "{{ d.keys() == ['a', 'b'] }} {{ d.items() | map('first') | join(',') }} {{ d.items() | selectattr(1, 'gt', 1) | list }} {{ d.items() | sort(attribute=1, reverse=true) }}",
    "{{ d.pop('a') }}",
    "{{ d.update({'c': 1}) }}",
    "{{ d.setdefault('a', 1) }}",
    "{{ d.clear() }}",
    "{{ d.popitem() }}",
    "{% set _ = d.update({'c': 1}) %}{{ d }}",
    "{% set x = d.pop %}{{ x }}|",
    "{{ d.pop is defined }} {{ d.pop is undefined }} {{ d.pop is callable }} {{ d['pop'] is defined }} {{ l.append is defined }}",
    "{{ d.nope() }}",
    "{{ dict(d, c=3) }} {{ dict(a=1) }} {{ dict() }} {{ dict([('a', 1)]) }} {{ dict({'x': 1}, **{'y': 2}) }} {{ dict(d.items()) }} {{ dict(**d) }}",
    "{{ dict(1) }}",
    "{{ dict.fromkeys(['a'], 1) }}",
    "{{ d | length }} {{ d['a'] + d.b }} {{ d == {'a': 1, 'b': 2} }} {{ 'a' in d and d.a }}",
    "{% for k in d %}{{ k }}{% endfor %} {% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %}",
    "{% for k, v in d %}{{ k }}{% endfor %}",
    "{% for k, v in {'ab': 1} %}{{ k }}{{ v }}{% endfor %}",
    "{{ l.append(4) }}",
    "{{ l.pop() }}",
    "{{ l.extend([1]) }}",
    "{{ l.insert(0, 1) }}",
    "{{ l.remove(1) }}",
    "{{ l.sort() }}",
    "{{ l.reverse() }}",
    "{{ l.clear() }}",
    "{% set _ = l.append(4) %}{{ l }}",
    "{% set m = [] %}{% for x in l %}{% set _ = m.append(x) %}{% endfor %}{{ m }}",
    "{{ l.index(2) }} {{ l.count(1) }} {{ l.copy() }} {{ (1, 2).index(2) }} {{ (1, 1).count(1) }} {{ range(5).index(3) }} {{ range(5).stop }}",
    "{{ l.index(9) }}",
    "{{ l.nope() }}",
    "{{ l | length }} {{ l + [4] }} {{ l * 2 }} {{ l == [1, 2, 3] }} {{ l[0:2] + l[2:] }} {{ l | sum }} {{ l is iterable }}",
    "{{ 5 .bit_length() }} {{ (255).to_bytes(1, 'big') }} {{ 1.5.is_integer() }} {{ (3).real }} {{ (3).__add__(4) }}",
    "{{ 1.5.real }} {{ true.real }}",
    d={"a": 1, "b": 2},
    l=[1, 2, 3],
)

# Sandbox
probe(
    "{{ ''.__class__ }}|",
    "{{ ''['__class__'] }}|",
    "{{ '' | attr('__class__') }}|",
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__']['__mro__'] }}",
    "{{ ('' | attr('__class__')).x }}",
    "{{ ''.__class__ is defined }} {{ ''.__class__ is undefined }}",
    "{{ ''.__class__ | default('d') }}",
    "{{ ''.__class__() }}",
    "{{ [].__len__ }}|",
    "{{ x.__globals__ }}|",
    "{{ x.__globals__.y }}",
    "{{ d.__class__ }}|{{ d._private }}|{{ d.__secret__ }}",
    "{{ d['__secret__'] }}",
    "{{ d._private.x }}",
    "{{ range.__class__ }}|",
    "{{ range.__self__.x }}",
    "{{ namespace.__init__ }}|",
    "{{ namespace.__init__.__globals__ }}",
    "{{ raise_exception.__globals__ }}|",
    "{{ raise_exception.__globals__.x }}",
    "{{ (1).__class__.x }}",
    "{{ none.__class__.x }}",
    "{{ [] | map(attribute='__class__') | list }} {{ [1] | map(attribute='__class__') | list }}",
    "{{ [1] | map(attribute='__class__.__name__') | list }}",
    "{{ [1] | selectattr('__class__') | list }} {{ [1] | selectattr('__class__', 'defined') | list }}",
    "{{ [2, 1] | sort(attribute='__class__') }}",
    "{{ [1] | groupby('__class__') | length }}",
    "{{ [1] | join(',', attribute='__class__') }}|",
    "{% set c = ''.__class__ %}{{ c }}|",
    "{% set c = ''.__class__ %}{{ c.x }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__ }}|{{ m.name }}|{{ m.arguments }}|{{ m.__class__ }}|",
    "{% macro m() %}{% endmacro %}{{ m.__call__.x }}",
    "{% macro m(a, b=2) %}{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m.catch_kwargs }} {{ m.catch_varargs }} {{ m.caller }} {{ m }}",
    "{% for x in [1] %}{{ loop.__class__ }}|{{ loop._iterator }}|{{ loop }}{% endfor %}",
    "{{ cycler.__init__ }}|{{ lipsum.__globals__ }}|",
    "{{ lipsum.__globals__.os }}",
    "{{ self.__init__ }}|{{ self._TemplateReference__context }}|",
    "{{ self.__init__.x }}",
    "{{ range(100001) | length }}",
    "{{ range(100000) | length }}",
    "{{ range(0, 10000000, 1000) | length }}",
    "{{ range(10 ** 30) }}",
    "{{ range() }}",
    "{{ range('a') }}",
    "{{ range(1.5) }}",
    "{{ range(1, 5, 0) }}",
    "{{ range(none) }}",
    "{{ range(true) | list }}",
    "{{ x.y.z }}",
    "{{ namespace(_a=1) }}",
    "{% set ns = namespace() %}{% set ns._a = 1 %}{{ ns }}",
    "{% set ns = namespace() %}{% set ns.__class__ = 1 %}{{ ns.__class__ }}",
    d={"__secret__": 1, "_private": 2, "a": 3},
    x=1,
)

# Loops
probe(
    "{% for x in 'ab' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for x in l %}{{ loop.previtem.y }}{% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in l %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in l %}{{ loop.nope }}|{{ loop['index'] }}{% endfor %}",
    "{% for x in l %}{{ loop.nope.x }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}",
    "{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in [] %}{{ x }}{% else %}empty{% endfor %}",
    "{% for x in {} %}{% else %}e{% endfor %}{% for x in '' %}{% else %}e{% endfor %}",
    "{% for x in none %}{% endfor %}",
    "{% for x in 5 %}{% endfor %}",
    "{% for x in true %}{% endfor %}",
    "{% for x in l recursive %}{{ x }}{% endfor %}",
    "{% for n in tree recursive %}{{ n.v }}{% if n.c %}[{{ loop(n.c) }}]{% endif %}{{ loop.depth }}{% endfor %}",
    "{% for x in l %}{{ loop(l) }}{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a }}-{{ b }};{% endfor %}",
    "{% for a, b in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for (a, b) in ['xy'] %}{{ b }}{{ a }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% for a, b in [(1,)] %}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}",
    "{% for a, b in none %}{% endfor %}",
    "{% for k, v in d.items() %}{{ loop.index }}{{ k }}{{ v }}{{ ',' if not loop.last }}{% endfor %}",
    "{% for k, v in d | items if v != 1 %}{{ k }}{% endfor %}",
    "{% for x in l %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% else %}e{% endfor %}",
    "{% for x in l %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% continue %}{% else %}e{% endfor %}",
    "{% for x in l %}{% break %}{% else %}e{% endfor %}",
    "{% for x in l %}{% for y in l %}{% if y > x %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}",
    "{% break %}",
    "{% continue %}",
    "{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{{ m() }}{% endfor %}",
    "{% for x in l %}{% set y = x %}{% endfor %}{{ y }}|{{ x }}|",
    "{% set y = 0 %}{% for x in l %}{% set y = y + x %}{{ y }} {% endfor %}{{ y }}",
    "{% set x = 'o' %}{% for x in l %}{{ x }}{% endfor %}{{ x }}",
    "{% for x in l %}{% if true %}{% set z = x %}{% endif %}{{ z }}{% endfor %}",
    "{% for x in l %}{% if loop.first %}{% set z = 'f' %}{% endif %}{{ z }}|{% endfor %}",
    "{% if true %}{% set z = 1 %}{% endif %}{{ z }}",
    "{% if false %}{% set z = 1 %}{% endif %}{{ z }}|",
    "{% for x in l %}{% for y in 'ab' %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "{% for x in l %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in l %}{% set loop = 5 %}{{ loop }}{% endfor %}",
    "{% for x in l | reverse %}{{ x }}{{ loop.last }}{% endfor %}{% for x in l | map('string') %}{{ loop.length }}{% endfor %}{% for x in l[::-1] %}{{ x }}{% endfor %}",
    "{% for x in range(3, 0, -1) %}{{ x }}{% endfor %}{% for x in (1, 2) %}{{ x }}{% endfor %}{% for x in 1, 2 %}{{ x }}{% endfor %}{% for c in 'é🙂' %}<{{ c }}>{% endfor %}",
    "{% for x in l %}{% for x in 'a' %}{{ x }}{% endfor %}{{ x }}{% endfor %}",
    "{% for x in l if loop.index %}{{ x }}{% endfor %}",
    "{% for x in l if x is odd if true %}{{ x }}{% endfor %}",
    "{% for x in l if x == 1 or x == 3 %}{{ x }}{% endfor %}{% for x in (l if true else []) %}{{ x }}{% endfor %}",
    "{% for x in l if true else [] %}{{ x }}{% endfor %}",
    "{% for x.y in l %}{% endfor %}",
    "{% for x in l -%} {{ x }} {%- endfor %}",
    "{% for x in l %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in l %}{{ loop.index is even }}{{ loop.index % 2 == 0 }}{% endfor %}",
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('bad order') }}{% endif %}{{ m.content }}{% endfor %}",
    "{% for m in messages[1:] %}{{ m.role }}{{ loop.index0 }}{% endfor %}{{ messages[-1].content }}{{ messages[0]['role'] == 'user' }}{{ (messages | last).role }}",
    "{% for m in messages[::-1] %}{% set i = messages | length - 1 - loop.index0 %}{{ i }}{{ m.role }}{% endfor %}",
    "{% for x in loop %}{% endfor %}",
    l=[1, 2, 3],
    d={"a": 1, "b": 2},
    tree=[{"v": 1, "c": [{"v": 2, "c": [{"v": 3}]}]}, {"v": 4}],
    messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}, {"role": "assistant", "content": "z"}],
)

# Set, namespace, with, macros, calls, filter blocks
probe(
    "{% set x = 1 %}{{ x }}{% set x = x + 1 %}{{ x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = (3, 4) %}{{ c }}{{ d }}{% set a, b = b, a %}{{ a }}{{ b }}",
    "{% set a, b = 1 %}",
    "{% set a, b = [1, 2, 3] %}",
    "{% set a = b = 1 %}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set x %}a {{ 1 + 1 }}{% endset %}[{{ x }}]",
    "{% set x %}\n  a\n{% endset %}[{{ x }}]",
    "{% set x | upper %}ab{% endset %}{{ x }}",
    "{% set x | replace('a', 'b') | upper %}ab{% endset %}{{ x }}",
    "{% set x %}<b>{% endset %}{{ x }}{{ x is string }}{{ x is escaped }}{{ x | length }}",
    "{% set x %}{% endset %}[{{ x }}]{{ x is string }}",
    "{% set x = 'a' %}{% set y %}{% set x = 'b' %}{{ x }}{% endset %}{{ x }}{{ y }}",
    "{% set ns = namespace(n=0, s='') %}{% for x in [1, 2, 3] %}{% set ns.n = ns.n + x %}{% set ns.s = ns.s ~ x %}{% endfor %}{{ ns.n }}{{ ns.s }}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}|{{ ns['a'] }}{{ ns.b is defined }}",
    "{% set ns = namespace(a=1) %}{{ ns['b'] }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, x = 5, 6 %}{{ ns.a }}{{ x }}",
    "{% set ns = namespace(l=[]) %}{% for x in [1, 2] %}{% set ns.l = ns.l + [x] %}{% endfor %}{{ ns.l }}",
    "{% set ns = namespace(a=1) %}{% set ns.a %}block{% endset %}{{ ns.a }}",
    "{% set ns = namespace(items=1) %}{{ ns.items }}{{ ns }}",
    "{% set d = {} %}{% set d.a = 1 %}",
    "{% set d.a = 1 %}",
    "{% set ns = namespace() %}{% set ns['a'] = 1 %}",
    "{% set ns = namespace(a=1) %}{% set ns.b.c = 1 %}",
    "{% set ns = namespace(a=1) %}{% macro m() %}{% set ns.a = ns.a + 1 %}{% endmacro %}{{ m() }}{{ m() }}{{ ns.a }}",
    "{{ namespace(1) }}",
    "{{ namespace([('a', 1)]).a }}",
    "{% set x = namespace %}{{ x(a=1).a }}",
    "{% set x = v %}{% set v = 2 %}{{ x }}{{ v }}",
    "{% set v = v ~ '!' %}{{ v }}",
    "{% set v = v | default('x') %}{{ v }}{% set w = w | default('y') %}{{ w }}",
    "{% if not u is defined %}{% set u = 'set' %}{% endif %}{{ u }}",
    "{% set loop = 1 %}{{ loop }}",
    "{% set messages = [1] + [2] %}{{ messages }}{% set range = 5 %}{{ range }}",
    "{% set true_ = 1 %}{{ true_ }}{% set _ = 2 %}{{ _ }}{% set __x__ = 3 %}{{ __x__ }}{% set é = 4 %}{{ é }}{% set Aa1 = 5 %}{{ Aa1 }}",
    "{% set if = 1 %}",
    "{% set not = 1 %}",
    "{% set in = 1 %}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}|",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}|",
    "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with a = 1 %}{% with b = a %}{{ b }}{% endwith %}{% endwith %}",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}",
    "{% macro m(a, b=2, c='z') %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(c=1, a=2) }}{{ m() }}",
    "{% macro m(a) %}{{ a is defined }}{{ a }}{% endmacro %}{{ m() }}|{{ m(none) }}",
    "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m(a) %}{{ a }}{{ kwargs }}{% endmacro %}{{ m(1, b=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}{{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro m(a, a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(l=[]) %}{{ l }}{% endmacro %}{{ m() }}{{ m([1]) }}",
    "{% macro m() %}\n  x\n{% endmacro %}[{{ m() }}]",
    "{% macro m() -%}\n  x\n{%- endmacro %}[{{ m() }}]",
    "{% set v = 1 %}{% macro m() %}{{ v }}{% endmacro %}{% set v = 2 %}{{ m() }}",
    "{% macro m() %}{{ w }}{% endmacro %}{% set w = 2 %}{{ m() }}",
    "{% macro m() %}{% set inner = 1 %}{% endmacro %}{{ m() }}{{ inner }}|",
    "{% for x in [1, 2] %}{{ m(x) }}{% endfor %}{% macro m(x) %}<{{ x }}>{% endmacro %}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f.name }}",
    "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% macro a() %}{% macro b() %}B{% endmacro %}{{ b() }}{% endmacro %}{{ a() }}{{ b is defined }}",
    "{% if true %}{% macro m() %}x{% endmacro %}{% endif %}{{ m() }}",
    "{% for x in [1] %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m() %}<b>{% endmacro %}{{ m() | upper }}{{ m() ~ '<' }}{{ m() is string }}{{ m() + 'x' }}{{ m() | length }}{{ m() == '<b>' }}{{ [m()] }}",
    "{% macro m() %}   {% endmacro %}[{{ m() | trim }}][{{ m().strip() }}]{{ 'y' if m() else 'n' }}",
    "{% macro m(x) %}{{ caller() }}{{ x }}{% endmacro %}{% call m(1) %}body{% endcall %}",
    "{% macro m() %}{% for x in 'ab' %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(c, i) m() %}<{{ c }}{{ i }}>{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}",
    "{% macro m(caller=none) %}{{ caller() if caller else 'no' }}{% endmacro %}{{ m() }}{% call m() %}yes{% endcall %}",
    "{% macro m() %}x{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{{ caller(1) }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% set v = 1 %}{% macro m() %}{% set v = 2 %}{{ caller() }}{% endmacro %}{% call m() %}{{ v }}{% endcall %}",
    "{% call 5 %}{% endcall %}",
    "{% filter upper %}ab{{ 'c' }}{% endfilter %}",
    "{% filter replace('a', 'b') | upper %}aa{% set q = 1 %}{% endfilter %}{{ q }}|",
    "{% filter indent(2) %}\na\nb\n{% endfilter %}",
    "{% filter nosuchfilter %}{% endfilter %}",
    "{% generation %}a{{ 1 }}{% endgeneration %}",
    "a\n  {%- generation %}\n  b\n  {%- endgeneration %}\nc",
    "{% set v = 1 %}{% generation %}{% set v = 2 %}{{ v }}{% endgeneration %}{{ v }}",
    "{% for x in [1, 2] %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "{% for x in [1, 2] %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% set ns = namespace(a=1) %}{% generation %}{% set ns.a = 2 %}{% endgeneration %}{{ ns.a }}",
    "{% generation %}",
    "{% block b %}x{{ v }}{% endblock %}{{ self.b() }}",
    "{% set q = 1 %}{% block b %}{{ q }}|{% endblock %}",
    "{% for q in [1] %}{% block b %}{{ q }}|{% endblock %}{% endfor %}",
    "{% for q in [1] %}{% block b scoped %}{{ q }}{% endblock %}{% endfor %}",
    "{% autoescape true %}{{ '<' }}{% endautoescape %}",
    "{% include 'x' %}",
    "{% include 'x' ignore missing %}ok",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% trans %}a{% endtrans %}",
    "{% do [] %}",
    "{% debug %}",
    v="var",
)

# Globals and calls
probe(
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}",
    "{% set j = joiner(', ') %}{{ j() }}a{{ j() }}b{{ j() }}c",
    "{% set j = joiner() %}{{ j() }}|{{ j() }}|",
    "{{ range(3) | join(',') }} {{ range(2, 5) | sum }}",
    "{{ raise_exception('message é \"q\"') }}",
    "{{ raise_exception() }}",
    "{{ raise_exception(1) }}",
    "{{ raise_exception('a' ~ 1) }}",
    "before{{ raise_exception('m') }}after",
    "{{ 'x' if true else raise_exception('m') }}",
    "{% set x = raise_exception('m') %}",
    "{{ strftime_now('%Y-%m-%d %H:%M:%S') }} {{ strftime_now('%d %b %Y') }} {{ strftime_now('%A, %B %d, %Y') }} {{ strftime_now('%j %a %I %p %y %U %w %%') }} {{ strftime_now('%-d/%-m %e') }} {{ strftime_now('') }}| {{ strftime_now('é %Y') }} {{ strftime_now('%F %T %D %R') }} {{ strftime_now('%s') | length > 5 }}",
    "{{ strftime_now() }}",
    "{{ range(*[1, 4]) | list }} {{ dict(**{'a': 1}) }} {{ range(*[1], *[4]) }}",
    "{{ 'a'.replace(*['a', 'b']) }} {{ 'a,b'.split(*[','], **{'maxsplit': 0}) }}",
    "{{ range(stop=3) }}",
    "{{ f(1) }}",
    "{{ s(1) }}",
    "{{ s.upper() }}{{ s.upper ( ) }}{{ s . upper() }}",
    "{{ 'a'.upper(\n) }}",
    "{{ dict(a=1,) }} {{ range(3,) | list }}",
    "{{ dict(1=2) }}",
    "{{ dict(a=1, 2) }}",
    "{{ dict(a=1, a=2) }}",
    "{{ lipsum is defined }} {{ cycler is defined }} {{ joiner is defined }} {{ dict is defined }} {{ namespace is defined }} {{ messages is defined }} {{ len is defined }} {{ str is defined }} {{ enumerate is defined }} {{ zip is defined }} {{ loop is defined }} {{ self is defined }} {{ caller is defined }}",
    "{{ len([1]) }}",
    "{{ str(1) }}",
    "{{ lambda: 1 }}",
    "{{ [x for x in [1]] }}",
    "{{ f'a' }}",
    "{{ r'a' }}",
    "{{ 'a' is 'a' }}",
    "{{ 1 is not none and 1 is not defined }}",
    "{{ s is not string }} {{ not s is string }}",
    "{{ 1 <> 2 }}",
    "{{ 1 === 1 }}",
    "{{ a.b.c.d }}",
    "{{ a['b'].c['d'] }}",
    "{{ a.b.c.d is defined and a.b.c.d }}{{ a.z is defined and a.z.y is defined }}",
    "{{ a.b['c']['d'] | default('x') }}{{ a.b.z | default('x') }}",
    "{{ a.get('b', {}).get('c', {}).get('d') }}{{ a.get('z', {}).get('c', {}) }}",
    "{{ not a }}{{ a and true }}{{ a | length and 'y' }}",
    "{{ s | replace('\\n', ' ') | trim }}|{{ (s ~ '\\n') | trim }}|{{ '  ' + s }}",
    "{{ '\\n'.join(['a', 'b']) }}{{ '\\n\\n' ~ 'c' }}",
    "{{ 'a' if s == 'str' and not missing else 'b' }}{{ ('a' if s else 'b') ~ 'c' }}",
    a={"b": {"c": {"d": 5}}},
    s="str",
)

def scan(files):
    """Which constructs the templates use: {kind: Counter of name}, counting uses, and the same per file."""
    uses = collections.defaultdict(collections.Counter)
    in_files = collections.defaultdict(set)
    nodes = jinja2.nodes
    for file in files:
        tree = ENVIRONMENT.parse(file.read_bytes().decode())

        def count(kind, name):
            uses[kind][name] += 1
            in_files[kind, name].add(file.name)

        macros = {node.name for node in tree.find_all(nodes.Macro)}
        for node in tree.find_all(nodes.Node):
            kind = type(node).__name__
            if kind in ("Template", "Output", "TemplateData", "Name", "Operand"):
                pass
            elif kind in ("Filter", "Test"):
                arguments = [type(a).__name__ for a in node.args] + [k.key + "=" for k in node.kwargs]
                count(kind.lower(), node.name or "filter block")
                if arguments:
                    count(kind.lower() + " arguments", f"{node.name}({', '.join(arguments)})")
            elif kind == "Compare":
                count("node", f"Compare ({len(node.ops)})")
            elif kind == "Getattr":
                count("node", kind)
                if isinstance(node.node, nodes.Name) and node.node.name == "loop":
                    count("loop", node.attr)
            elif kind == "Call":
                count("node", kind)
                callee = node.node
                if isinstance(callee, nodes.Getattr):
                    count("method", f"{callee.attr}({len(node.args)}{'+kw' if node.kwargs else ''})")
                elif isinstance(callee, nodes.Name):
                    count("macro call" if callee.name in macros else "global call", "-" if callee.name in macros else callee.name)
                else:
                    count("call of", type(callee).__name__)
            elif kind == "For":
                extra = [w for w, x in (("if", node.test), ("else", node.else_), ("recursive", node.recursive)) if x]
                target = "unpacking" if isinstance(node.target, nodes.Tuple) else ""
                count("node", " ".join(filter(None, ["For", target] + extra)))
            elif kind == "Assign":
                count("node", f"Assign to {type(node.target).__name__}")
            elif kind == "Slice":
                count("node", "Slice [" + ":".join("x" if part else "" for part in (node.start, node.stop, node.step)) + "]")
            elif kind == "CondExpr":
                count("node", "CondExpr" + ("" if node.expr2 else " without else"))
            elif kind == "Const":
                count("literal", type(node.value).__name__)
            elif kind == "CallBlock":
                count("node", "generation tag" if isinstance(node.call.node, nodes.ExtensionAttribute) else "CallBlock")
            elif kind == "Macro":
                count("node", kind)
                if node.defaults:
                    count("node", "Macro with defaults")
            else:
                count("node", kind)
            if isinstance(node, nodes.Compare):
                for operand in node.ops:
                    count("operator", operand.op)
    for kind in sorted(uses):
        print(f"[{kind}]")
        for name, number in sorted(uses[kind].items(), key=lambda item: (-item[1], item[0])):
            print(f"  {name}: {number} in {len(in_files[kind, name])} files")


def main():
    files = sorted(TEMPLATES.glob("*.jinja"), key=lambda file: file.name)
    if sys.argv[1:] == ["--scan"]:
        return scan(files)
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    templates = {}
    for file in files:
        template = file.read_bytes().decode()
        templates[file.name] = [
            render(template, {"messages": conversation["messages"], **conversation["variables"]})
            for conversation in CONVERSATIONS
        ]
    expressions = []
    for template, variables in EXPRESSIONS:
        result = render(template, variables)
        if "error" in result:
            result = {"failure": "TemplateError: " + result["error"]}
        if re.search(r" at 0x[0-9a-f]{6,}", str(result)):
            sys.exit(f"not deterministic: {template!r} gives {result}")
        expressions.append({"template": template, "variables": variables, **result})
    golden = {
        "now": NOW.isoformat(),
        "conversations": CONVERSATIONS,
        "templates": templates,
        "expressions": expressions,
    }
    text = json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n"
    # Two separators that some readers take for line ends.
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    pathlib.Path(sys.argv[1]).write_bytes(text.encode())
    for name, results in (("templates", sum(templates.values(), [])), ("expressions", expressions)):
        kinds = collections.Counter(kind for result in results for kind in ("text", "error", "failure") if kind in result)
        print(name, len(results), dict(kinds))


if __name__ == "__main__":
    main()
