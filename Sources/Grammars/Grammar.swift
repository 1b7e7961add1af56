/// A context-free language of texts, which says how a reply may go on.
///
/// Made from GBNF (`init(gbnf:)`), the notation of llama.cpp, or from a JSON Schema
/// (`init(jsonSchema:)`). `TokenGrammar` joins one with a model's tokens.
public struct Grammar: Sendable {
  /// What a rule stands for.
  indirect enum Expression: Sendable {
    case characters(ScalarRanges)
    case sequence([Expression])
    case choice([Expression])
    /// `most` nil is without end.
    case repetition(Expression, least: Int, most: Int?)
    /// The index of a rule.
    case rule(Int)
    case automaton(ByteAutomaton)

    static let nothing = Expression.sequence([])

    static func text(_ text: String) -> Expression {
      .sequence(text.unicodeScalars.map { .characters(ScalarRanges($0)) })
    }

    static func optional(_ expression: Expression) -> Expression {
      .repetition(expression, least: 0, most: 1)
    }
  }

  struct Rule: Sendable {
    let name: String
    var body: Expression
  }

  var rules: [Rule]
  /// The rule that stands for the whole text.
  var root: Int
}

/// A finite automaton over bytes, for what is too large when written out: numbers in a range.
struct ByteAutomaton: Sendable {
  struct Edge: Sendable {
    let bytes: ClosedRange<UInt8>
    let target: Int
  }

  /// Of each state; the first state is where a text begins.
  var edges: [[Edge]]
  /// The states where a text may end.
  var ends: Set<Int>
}

/// Why a grammar cannot be used.
public enum GrammarError: Error, Equatable, Sendable {
  /// A fault in GBNF text; `line` counts from 1.
  case syntax(line: Int, found: String, expected: String)
  /// A rule that is used and not there.
  case missingRule(String)
  /// A rule that begins with itself.
  case leftRecursion(String)
  /// Too large, or too ambiguous: what, and how much is allowed.
  case tooLarge(String, limit: Int)
  /// No text belongs to it, or none that the model's tokens can spell.
  case empty(rule: String)
  /// A JSON Schema that says what is not supported, or cannot be met; `path` is a JSON pointer.
  case schema(path: String, reason: String)
  /// Biases forbid every token that may come next.
  case forbidden
}

extension GrammarError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .syntax(let line, let found, let expected):
      "grammar, line \(line): found \(found), expected \(expected)"
    case .missingRule(let name): "grammar: there is no rule \"\(name)\""
    case .leftRecursion(let name):
      "grammar: rule \"\(name)\" begins with itself, which never ends; put the repetition last, "
        + "or use * or +"
    case .tooLarge(let what, let limit): "grammar: more than \(limit) \(what)"
    case .empty(let rule):
      "grammar: rule \"\(rule)\" stands for no text that the model's tokens can spell"
    case .schema(let path, let reason):
      "JSON schema, at \(path.isEmpty ? "the top" : "\"\(path)\""): \(reason)"
    case .forbidden: "grammar: the biases forbid every token that may come next"
    }
  }
}
