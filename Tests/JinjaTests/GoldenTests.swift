import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import Jinja

/// What Python's jinja2 makes of real chat templates and of small ones that probe one thing each
/// (`Fixtures/make_templates.py`).
@Suite struct GoldenTests {
  /// The clock that the expected values were made with.
  private static let now = Template.Moment(
    year: 2026, month: 7, day: 4, hour: 9, minute: 5, second: 3)

  private enum Outcome: Equatable {
    case text(String)
    case raised(String)
    case failure

    var isError: Bool { if case .text = self { false } else { true } }

    init(_ golden: JSON) {
      if let text = golden["text"]?.string {
        self = .text(text)
      } else if let message = golden["error"]?.string {
        self = .raised(message)
      } else {
        self = .failure
      }
    }

    init(_ source: String, _ variables: [String: Value]) {
      do {
        self = .text(try Template(source).render(variables, now: GoldenTests.now).string)
      } catch {
        self = error.kind == .raised ? .raised(error.message) : .failure
      }
    }
  }

  private func golden() throws -> JSON {
    try JSON(parsing: [UInt8](try Fixtures.data("templates/golden.json")))
  }

  private func variables(_ json: JSON?) throws -> [String: Value] {
    guard case .object(let items)? = json else { return [:] }
    return Dictionary(uniqueKeysWithValues: items.map { ($0.key, Value($0.value)) })
  }

  @Test("real templates of public models render as in Python, byte for byte")
  func realTemplates() throws {
    let golden = try golden()
    let conversations = try #require(golden["conversations"]?.array)
    guard case .object(let templates)? = golden["templates"] else { throw CancellationError() }
    #expect(templates.count >= 30)
    var rendered = 0
    for (name, results) in templates {
      let source = String(decoding: try Fixtures.data("templates/\(name)"), as: UTF8.self)
      for (conversation, expected) in zip(conversations, try #require(results.array)) {
        var values = try variables(conversation["variables"])
        values["messages"] = conversation["messages"].map { Value($0) }
        // Python's filters return generators, which its `tojson` refuses; ours return lists.
        if expected["failure"]?.string?.contains("generator is not JSON") == true { continue }
        let expected = Outcome(expected)
        #expect(
          Outcome(source, values) == expected,
          "\(name), \(conversation["name"]?.string ?? "")")
        if case .text = expected { rendered += 1 }
      }
    }
    #expect(rendered >= 300)
  }

  @Test("each thing that templates can say means what it means in Python")
  func expressions() throws {
    let expressions = try #require(try golden()["expressions"]?.array)
    #expect(expressions.count >= 1700)
    // Those whose result differs on purpose (Fixtures/templates/README.md).
    let differences = try JSON(parsing: [UInt8](try Fixtures.data("templates/differences.json")))
    let skipped = Set(try #require(differences.array).compactMap(\.string))
    #expect(skipped.count <= 159)
    for expression in expressions {
      let source = try #require(expression["template"]?.string)
      guard !skipped.contains(source) else { continue }
      let outcome = Outcome(source, try variables(expression["variables"]))
      let expected = Outcome(expression)
      // Any error will do where Python has one.
      let isSame = outcome == expected || expected == .failure && outcome.isError
      #expect(
        isSame,
        """
        \(source): \(outcome), expected \(expected) \(expression["failure"]?.string ?? "")
        """)
    }
  }
}

extension JSON {
  subscript(_ key: String) -> JSON? {
    guard case .object(let items) = self else { return nil }
    return items.first { $0.key == key }?.value
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var array: [JSON]? { if case .array(let items) = self { items } else { nil } }
}
