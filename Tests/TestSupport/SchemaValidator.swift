import Foundation

/// Python's `jsonschema`, which says whether texts are valid.
public enum SchemaValidator {
  /// The Python of `scripts/python`; nil where there is none.
  public static let python = ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"]

  /// - Parameter cases: schemas as JSON texts, and texts.
  /// - Returns: a line for each text that is not valid, with its index.
  public static func complaints(_ cases: [(schema: String, text: String)]) throws -> [String] {
    guard let python else { return ["SWIFTLET_PYTHON is not set"] }
    let lines = try cases.map { schema, text in
      let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
      return "{\"schema\": \(schema), \"text\": \(quoted)}\n"
    }
    let script = Fixtures.root.appendingPathComponent("Tests/TestSupport/validate_json.py").path
    let result = try BuiltCommand.runProgram(python, [script], input: lines.joined())
    guard result.status == 0 else { return [result.errors] }
    return result.output.split(separator: "\n").map(String.init)
  }
}
