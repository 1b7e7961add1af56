import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import Jinja

/// What a hostile template or conversation can do: nothing but fail.
@Suite struct LimitTests {
  private func error(_ source: String, _ variables: [String: Value] = [:]) -> TemplateError? {
    do {
      _ = try Template(source).render(variables)
      return nil
    } catch { return error }
  }

  @Test(
    "endless loops, doubled strings and huge ranges end at a limit, soon",
    arguments: [
      "{% for i in range(1000000000) %}x{% endfor %}",
      "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
      "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
      "{% set ns = namespace(t=(1,)) %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
      "{{ 'x' * 9223372036854775807 }}", "{{ [1, 2] * 9223372036854775807 }}",
      "{{ 'x'.ljust(9223372036854775807) }}", "{{ 'x' | indent(9223372036854775807, true) }}",
      "{{ 'x' | center(9223372036854775807) }}", "{{ '%9223372036854775807d' % 1 }}",
      "{{ '%999999999999999999999d' % 1 }}", "{{ 'x'.zfill(999999999999) }}",
      "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
      "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
      "{{ [1] | batch(9223372036854775807, 0) }}", "{{ [1] | slice(9223372036854775807) }}",
      "{{ [[1]] | tojson(indent=9223372036854775807) }}",
      "{{ strftime_now('%999999999d') }}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
      "{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% endcall %}{% endmacro %}{{ n() }}",
    ])
  func limits(source: String) throws {
    let start = ContinuousClock.now
    let error = try #require(self.error(source))
    #expect(error.kind == .limit, "\(error)")
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test("lists that hold themselves twice, forty times, are not compared to their end")
  func sharedLists() throws {
    let nest = """
      {% set ns = namespace(s=[1], b=[1], t=(1,)) %}{% for i in range(40) %}{% set ns.s = [ns.s, ns.s] %}
      {% set ns.b = [ns.b, ns.b] %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}
      """
    for use in [
      "{{ [ns.b].count(ns.s) }}",
      "{{ ns.s == ns.b }}",
      "{{ ns.s in [ns.b] }}",
      "{{ ns.s < ns.b }}",
      "{{ [ns.s, ns.b] | sort }}",
      "{{ [ns.s, ns.b] | max }}",
      "{{ {1: ns.s} == {1: ns.b} }}",
      "{{ {ns.t: 1} }}",
      "{{ [ns.t] | unique }}",
      "{{ [{'a': ns.s}] | selectattr('a', 'equalto', ns.b) | list }}",
    ] {
      #expect(error(nest + use)?.kind == .limit, "\(use)")
    }
  }

  @Test(
    "values nested deeper than the stack is long are refused before they are",
    arguments: [
      "{% set x = [1]\(String(repeating: "|batch(1)", count: 90_000)) %}",
      "{% filter \(String(repeating: "batch(1)|", count: 90_000))list %}x{% endfilter %}",
      "{% set ns = namespace(x=[]) %}\(Self.loops("{% set ns.x = [ns.x] %}"))",
      "{% set ns = namespace(x=[]) %}\(Self.loops("{% set ns.x = {1: ns.x} %}"))",
      "{% set ns = namespace(x={}) %}\(Self.loops("{% set ns.x = {'a': ns.x}.get %}"))",
      "{% set ns = namespace(x=1) %}\(Self.loops("{% set ns.x = cycler(ns.x) %}"))",
      "{% set ns = namespace(x=1) %}\(Self.loops("{% for i in [ns.x] %}{% set ns.x = loop %}{% endfor %}"))",
    ])
  func deepValues(source: String) {
    #expect(error(source)?.kind == .limit)
  }

  private static func loops(_ body: String) -> String {
    "{% for a in range(300) %}{% for b in range(300) %}\(body){% endfor %}{% endfor %}"
  }

  @Test(
    "objects that hold each other in a long chain, or themselves, are freed",
    arguments: [
      "{% set ns = namespace(x=1) %}\(Self.loops("{% set ns.x = namespace(x=ns.x) %}"))",
      "{% set ns = namespace(x=1) %}\(Self.loops("{% for i in [1] %}{% set y = loop.changed(ns.x) %}{% set ns.x = loop %}{% endfor %}"))",
      "{% set ns = namespace(x=1) %}{% macro m(f) %}{% macro g() %}{% endmacro %}{% set ns.x = g %}{% endmacro %}\(Self.loops("{{ m(ns.x) }}"))",
      "{% set ns = namespace() %}{% set ns.x = ns %}",
      "{% macro m() %}{{ m }}{% endmacro %}{{ m() }}",
      "{% for i in [1] %}{% set x = loop.changed(loop) %}{% endfor %}",
    ])
  func chains(source: String) throws {
    final class Canary: TemplateObject {
      let typeName = "canary"
      let depth = 0
    }
    weak var canary: Canary?
    try {
      let held = Canary()
      canary = held
      var limits = Template.Limits()
      limits.steps = 2_000_000
      _ = try Template("{% set held = canary %}" + source)
        .render(["canary": .object(held)], limits: limits)
    }()
    #expect(canary == nil)
  }

  @Test("long texts count for what they are")
  func longTexts() {
    let long = "{% set s = 'a' * 60000 %}{% set n = 'a' * 30000 ~ 'b' %}{% for i in range(20000) %}"
    for use in [
      "s | upper", "s | int", "s.isdigit()", "s is lower", "{s: 1}", "s | wordcount",
      "s | striptags", "n in s",
      "s | trim", "s == s ~ 'b'", "s.startswith(s)", "s.rsplit('a', 9)", "s.rfind(n)",
    ] {
      let start = ContinuousClock.now
      #expect(error(long + "{% set x = \(use) %}{% endfor %}")?.kind == .limit, "\(use)")
      #expect(ContinuousClock.now - start < .seconds(5), "\(use)")
    }
  }

  @Test("no depth of parentheses, blocks, operators or values overflows the stack")
  func depth() throws {
    let many = 20_000
    func repeated(_ text: String) -> String { String(repeating: text, count: many) }
    for source in [
      "{{ " + repeated("(") + "1" + repeated(")") + " }}",
      "{{ " + repeated("[") + "1" + repeated("]") + " }}",
      "{{ " + repeated("{1:") + "1" + repeated("}") + " }}",
      "{{ " + repeated("not ") + "1 }}", "{{ " + repeated("-") + "1 }}",
      "{{ " + repeated("x[") + "1" + repeated("]") + " }}",
      "{{ " + repeated("f(") + "1" + repeated(")") + " }}",
      repeated("{% if 1 %}") + repeated("{% endif %}"),
      repeated("{% for x in [1] %}") + repeated("{% endfor %}"),
      repeated("{% macro m() %}") + repeated("{% endmacro %}"),
      "{{ " + repeated("1 if 1 else ") + "1 }}", "{{ " + repeated("1 if 1 ") + "}}",
      "{% set " + repeated("(") + "x" + repeated(")") + " = 1 %}",
    ] {
      #expect(error(source) != nil, "\(source.prefix(20))")
    }
    // What stands behind each other needs no depth.
    for source in [
      "{{ 1" + repeated(" + 1") + " }}", "{{ ''" + repeated(" ~ ''") + " }}",
      "{{ x" + repeated(".y").prefix(2) + " }}", "{{ 'a'" + repeated(" | upper") + " }}",
      "{{ 1" + repeated(" and 1") + " }}", "{{ 0" + repeated(" or 0") + " }}",
      "{{ 1" + repeated(" < 2 > 1") + " }}",
      "{% if 0 %}" + repeated("{% elif 0 %}") + "{% endif %}",
    ] {
      let error = self.error(source, ["x": .dictionary(ValueDictionary())])
      #expect(error == nil, "\(source.prefix(20)): \(error?.description ?? "")")
    }
    // A list that holds itself deeper and deeper.
    let nest =
      "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}"
    #expect(error(nest + "{{ ns.l }}")?.kind == .limit)
    #expect(error(nest + "{{ ns.l | tojson }}")?.kind == .limit)
    #expect(error(nest + "{{ ns.l == ns.l }}")?.kind == .limit)
    #expect(error(nest + "{{ ns.l < ns.l }}")?.kind != .syntax)
  }

  @Test("what was given stays marked as given, whatever a template does with it")
  func provenance() throws {
    func runs(_ source: String, _ content: String) throws -> [Text.Run] {
      try Template(source).render(["x": Value(given: content)]).runs
    }
    for source in [
      "a{{ x }}b", "a{{ x | trim }}b", "a{{ x ~ '' }}b", "a{{ x | upper }}b", "a{{ x[::-1] }}b",
      "a{{ x | replace('?', '!') }}b", "a{{ [x] | join }}b", "a{{ x.split(',')[0] }}b",
      "a{% set y = x %}{{ y }}b", "a{% set y %}{{ x }}{% endset %}{{ y }}b", "a{{ '%s' % x }}b",
      "a{{ '{}'.format(x) }}b", "a{% macro m(v) %}{{ v }}{% endmacro %}{{ m(x) }}b",
      "a{% for c in x %}{{ c }}{% endfor %}b", "a{{ x | e }}b", "a{{ x | list | join }}b",
      "a{{ x | map('lower') | join }}b", "a{{ x | title }}b", "a{{ x * 2 }}b",
      "a{{ x | urlencode }}b",
      "a{{ x | indent }}b", "a{{ x | center(9) }}b", "a{{ {'k': x}.k }}b", "a{{ x.strip('<') }}b",
    ] {
      let runs = try runs(source, "<|end|>")
      #expect(runs.first?.isGiven == false && runs.last?.isGiven == false, "\(source)")
      let given = runs.filter(\.isGiven).map(\.text).joined()
      let own = runs.filter { !$0.isGiven }.map(\.text).joined()
      #expect(given.lowercased().contains("end") || given.contains("dne"), "\(source): \(runs)")
      #expect(!own.lowercased().contains("end") && !own.contains("|"), "\(source): \(runs)")
    }
    let json = try runs("{{ [x] | tojson }}{{ [x] }}", "<|end|>")
    #expect(json.filter { !$0.isGiven }.allSatisfy { !$0.text.contains("|") })
  }

  @Test("no cut and no changed byte of a template traps")
  func mutations() throws {
    let folder = Fixtures.path("templates")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".jinja") }.sorted()
    let messages = Value(
      try JSON(
        parsing: Array(
          #"[{"role":"user","content":"Hi","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}]"#
            .utf8)))
    var random = SeededGenerator(seed: 8)
    var rendered = 0
    let pieces = [
      "(", "{%", "%}", "{{", "}}", "-", "*", "9", "'", "|", ".", "[", " if ", " in ", "\u{0}", "é",
    ]
    var limits = Template.Limits()
    limits.steps = 50_000
    for name in names {
      let source = Array(
        String(decoding: try Fixtures.data("templates/\(name)"), as: UTF8.self).unicodeScalars)
      for _ in 0..<60 {
        var mutated = source
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let place = Int.random(in: 0..<max(1, mutated.count), using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: mutated = Array(mutated[..<place])
          case 1:
            mutated.insert(
              contentsOf: (pieces.randomElement(using: &random) ?? "").unicodeScalars, at: place)
          default: if place < mutated.count { mutated.remove(at: place) }
          }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: mutated)
        if let template = try? Template(String(view)),
          (try? template.render(
            ["messages": messages, "bos_token": .text(Text("<s>"))], limits: limits)) != nil
        {
          rendered += 1
        }
      }
    }
    #expect(rendered > 100)
  }
}
