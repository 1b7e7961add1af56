import Grammars
import OrderedJSON

/// A value that a model generated, as JSON has it.
///
/// Shaped like FoundationModels' type of the same name.
public struct GeneratedContent: Sendable {
  let json: JSON
  /// Whether the value is all there; false of a snapshot of a response in the making.
  public let isComplete: Bool

  /// What a value is.
  public enum Kind: Sendable, Equatable {
    /// JSON's `null`.
    case null
    /// True or false.
    case bool(Bool)
    /// A number, rounded to double precision.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([GeneratedContent])
    /// An object, and its keys in order.
    case structure(properties: [String: GeneratedContent], orderedKeys: [String])
  }

  init(json: JSON, isComplete: Bool = true) {
    self.json = json
    self.isComplete = isComplete
  }

  /// Reads JSON (RFC 8259). A text that ends early is read as far as it goes, and is not complete.
  ///
  /// - Throws: `GeneratedContentError.notJSON` with the byte offset.
  public init(json text: String) throws {
    let bytes = Array(text.utf8)
    do {
      json = try JSON(parsing: bytes)
      isComplete = true
    } catch {
      guard let whole = JSONCompletion.complete(bytes), let value = try? JSON(parsing: whole) else {
        throw GeneratedContentError.notJSON(offset: error.position, expected: error.expected)
      }
      json = value
      isComplete = false
    }
  }

  /// The content of a value.
  public init(_ value: some ConvertibleToGeneratedContent) { self = value.generatedContent }

  /// An object, its properties in order, without those that are nil.
  public init(properties: KeyValuePairs<String, any ConvertibleToGeneratedContent>) {
    let present = properties.filter { ($0.value as? any OptionalContent)?.isNil != true }
    self.init(json: .object(present.map { ($0.key, $0.value.generatedContent.json) }))
  }

  /// A list.
  public init(elements: some Sequence<any ConvertibleToGeneratedContent>) {
    self.init(json: .array(elements.map(\.generatedContent.json)))
  }

  /// What `kind` says.
  public init(kind: Kind) {
    switch kind {
    case .null: self.init(json: .null)
    case .bool(let value): self.init(value)
    case .number(let value): self.init(value)
    case .string(let text): self.init(text)
    case .array(let elements): self.init(elements: elements)
    case .structure(let properties, let keys):
      self.init(
        json: .object(keys.compactMap { key in properties[key].map { (key, $0.json) } }))
    }
  }

  /// What the value is.
  public var kind: Kind {
    switch json {
    case .null: .null
    case .bool(let value): .bool(value)
    case .number(let text): .number(Double(text) ?? .nan)
    case .string(let text): .string(text)
    case .array(let values): .array(values.map { child($0) })
    case .object(let members):
      .structure(
        properties: Dictionary(members.map { ($0.key, child($0.value)) }) { _, last in last },
        orderedKeys: members.map(\.key))
    }
  }

  private func child(_ value: JSON) -> GeneratedContent {
    GeneratedContent(json: value, isComplete: isComplete)
  }

  /// The value in one line of JSON.
  public var jsonString: String { json.text }

  /// The value as a type.
  ///
  /// - Throws: `GeneratedContentError` where it is not one.
  public func value<Value: ConvertibleFromGeneratedContent>(_ type: Value.Type = Value.self) throws
    -> Value
  { try Value(self) }

  /// The value of a property of an object.
  ///
  /// - Throws: `GeneratedContentError` where it is missing or of another type.
  public func value<Value: ConvertibleFromGeneratedContent>(
    _ type: Value.Type = Value.self, forProperty name: String
  ) throws -> Value {
    guard let value = try property(name) else { throw GeneratedContentError.missing(name) }
    return try Value(value)
  }

  /// The value of a property of an object; nil where it is missing or null.
  ///
  /// - Throws: `GeneratedContentError` where it is of another type.
  public func value<Value: ConvertibleFromGeneratedContent>(
    _ type: Value?.Type = Value?.self, forProperty name: String
  ) throws -> Value? {
    guard let value = try property(name) else { return nil }
    if case .null = value.json { return nil }
    guard isComplete else {
      // Of what is not all there some cannot be read yet.
      return try? Value(value)
    }
    return try Value(value)
  }

  private func property(_ name: String) throws -> GeneratedContent? {
    guard case .object(let members) = json else {
      throw GeneratedContentError.unexpected(found: json.text, expected: "an object")
    }
    return members.first { $0.key == name }.map { child($0.value) }
  }

  /// The error of an enum that has no case for the value.
  public func noCase<T>(of type: T.Type) -> any Error {
    GeneratedContentError.unexpected(found: jsonString, expected: "a case of \(type)")
  }
}

extension GeneratedContent: Equatable {
  /// By value: numbers as they compare, objects in any order.
  public static func == (a: GeneratedContent, b: GeneratedContent) -> Bool {
    a.json.isEqual(to: b.json) && a.isComplete == b.isComplete
  }
}

extension GeneratedContent: CustomDebugStringConvertible {
  public var debugDescription: String { jsonString }
}

/// Why generated content is not what was expected.
public enum GeneratedContentError: Error, Equatable, Sendable {
  /// A text that is no JSON from byte `offset` on.
  case notJSON(offset: Int, expected: String)
  /// An object without a property that has to be there.
  case missing(String)
  /// A value of another type.
  case unexpected(found: String, expected: String)
}

extension GeneratedContentError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notJSON(let offset, let expected): "no JSON: byte \(offset): expected \(expected)"
    case .missing(let name): "there is no property \"\(name)\""
    case .unexpected(let found, let expected): "found \(found.prefix(200)), expected \(expected)"
    }
  }
}
