import OrderedJSON
import TestSupport
import Testing

@testable import Grammars

/// Grammars and schemas that are wrong, or meant to do harm: an error, soon, and little memory.
@Suite(.enabled(if: RealModel.isPresent)) struct HostileGrammarTests {
  private func error(gbnf text: String) -> GrammarError? {
    do {
      let trie = try RealTokens.trie.get()
      _ = try TokenGrammar(Grammar(gbnf: text), trie).matcher().allowed()
      return nil
    } catch { return error as? GrammarError }
  }

  private func error(schema text: String) -> GrammarError? {
    do {
      let trie = try RealTokens.trie.get()
      _ = try TokenGrammar(Grammar(jsonSchema: text), trie).matcher().allowed()
      return nil
    } catch { return error as? GrammarError }
  }

  @Test("faults of GBNF name the line")
  func syntax() throws {
    #expect(
      error(gbnf: "root ::= \"a\"\nb ::= [a-")
        == .syntax(line: 2, found: "the end", expected: "\"]\""))
    #expect(
      error(gbnf: "root ::= \"a") == .syntax(line: 1, found: "the end", expected: "a closing quote")
    )
    #expect(error(gbnf: "a ::= \"b\"") == .missingRule("root"))
    #expect(error(gbnf: "root ::= other") == .missingRule("other"))
    #expect(error(gbnf: "root ::= a\na ::= b | \"x\"\nb ::= \"\" a \"y\"") == .leftRecursion("a"))
    #expect(error(gbnf: "root ::= \"a\" root") == .empty(rule: "root"))
    let trie = try RealTokens.trie.get()
    let missing = try #require((0..<128).first { !trie.hasByte[$0] })
    let digits = String(missing + 256, radix: 16).dropFirst()
    #expect(error(gbnf: "root ::= \"\\x\(digits)\"") == .empty(rule: "root"))
    #expect(
      error(gbnf: "root ::= \"a\"{3,2}")
        == .syntax(line: 1, found: "{3,2}", expected: "the smaller number first"))
  }

  @Test("large grammars are refused soon")
  func large() {
    let clock = ContinuousClock()
    let time = clock.measure {
      for text in [
        "root ::= ((\"a\"{2000}){2000}){2000}", "root ::= ((\"\"{2000}){2000}){2000}",
        "root ::= " + String(repeating: "(", count: 100_000),
        "root ::= \"a\"{99999999999999999999}",
        // Every way to leave letters out.
        "root ::= " + String(repeating: "\"a\"? ", count: 10_000),
      ] {
        guard case .tooLarge = error(gbnf: text) else {
          Issue.record("\(text.prefix(40))")
          continue
        }
      }
      for text in [
        #"{"type": "array", "minItems": 1e9}"#, #"{"type": "string", "minLength": 4000}"#,
        #"{"type": "integer", "minimum": 1e999}"#, #"{"type": "integer", "multipleOf": 99999999}"#,
        String(repeating: #"{"items": "#, count: 300) + "{}" + String(repeating: "}", count: 300),
        String(repeating: "[", count: 100_000), ##"{"$ref": "#"}"##,
        ##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
        ##"{"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"type": "integer"}], "type": "integer"}"##,
        #"{"type": "string", "minLength": 1, "pattern": "((((((a{2000}){2000}){2000}){2000}){2000}){2000})"}"#,
        ##"{"allOf": [{"$ref": "#"}]}"##, ##"{"anyOf": [{"$ref": "#"}]}"##,
        #"{"type": "string", "pattern": "(a{1000}){1000}"}"#,
        #"{"type": "string", "pattern": "(?=a)b"}"#, #"{"type": "string", "pattern": "a**"}"#,
        #"{"oneOf": [{"type": "integer"}, {"type": "number"}]}"#,
        #"{"type": "integer", "minimum": 3, "maximum": 2}"#, "false", "7", "",
      ] where error(schema: text) == nil {
        Issue.record("\(text.prefix(60))")
      }
      // Large upper bounds are lowered.
      #expect(error(schema: #"{"type": "array", "maxItems": 1e15}"#) == nil)
      #expect(error(schema: #"{"type": "string", "maxLength": 4000000000}"#) == nil)
    }
    #expect(time < .seconds(60))
  }

  @Test("texts that can be read in ever more ways are given up")
  func ambiguous() throws {
    let grammar = try TokenGrammar(
      Grammar(gbnf: "root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\""), RealTokens.trie.get())
    var matcher = try grammar.matcher()
    let letter = try #require(
      (0..<grammar.trie.vocabularySize).first {
        grammar.trie.spelling(of: $0).elementsEqual("a".utf8)
      })
    #expect(throws: GrammarError.self) {
      for _ in 0..<64 { _ = try matcher.accept(letter) }
    }
  }

  @Test("damaged grammars and schemas are read or refused, and never trap")
  func mutations() throws {
    var random = SeededGenerator(seed: 9)
    let trie = try RealTokens.trie.get()
    let grammars = [
      "root ::= \"{\" (\"\\\"\" [a-z]{1,3} \"\\\": \" value)* \"}\" # x\nvalue ::= [0-9]+ | root | .",
      "root ::= [^\\x00-\\x1F\"] | \"\\u00e9\" root?",
    ]
    let schemas = [
      #"{"type":"object","properties":{"a":{"type":"integer","minimum":-3,"maximum":1e2},"#
        + #""b":{"type":"string","pattern":"^[a-z\\d]{2,3}$"}},"required":["a"]}"#,
      ##"{"anyOf":[{"$ref":"#/$defs/x"},{"enum":[1,null]}],"$defs":{"x":{"type":["array","null"],"items":{"$ref":"#"}}}}"##,
    ]
    for index in 0..<1000 {
      let isGrammar = index % 2 == 0
      var bytes = Array((isGrammar ? grammars : schemas)[index / 2 % 2].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 32...126, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(GrammarError) {
        let grammar = isGrammar ? try Grammar(gbnf: text) : try Grammar(jsonSchema: text)
        let matcher = try TokenGrammar(grammar, trie).matcher()
        let isStuck = try matcher.allowed().isEmpty && !matcher.isAccepting
        #expect(!isStuck, "\(text)")
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }
}
