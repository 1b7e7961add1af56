import OrderedJSON

// The types that every schema ends in.

extension GeneratedContent: Generable {
  /// Any JSON value.
  public static var generationSchema: GenerationSchema {
    GenerationSchema(node: .json(.bool(true)))
  }
  public init(_ content: GeneratedContent) { self = content }
  /// The content itself.
  public var generatedContent: GeneratedContent { self }

  fileprivate func unexpected(_ expected: String) -> GeneratedContentError {
    .unexpected(found: jsonString, expected: expected)
  }

  fileprivate func number<N: LosslessStringConvertible>(_ expected: String) throws -> N {
    guard case .number(let text) = json, let value = N(text) else { throw unexpected(expected) }
    return value
  }
}

extension GenerationSchema {
  fileprivate static func type(_ name: String) -> GenerationSchema {
    GenerationSchema(node: .json(.object([("type", .string(name))])))
  }
}

extension Bool: Generable {
  public static var generationSchema: GenerationSchema { .type("boolean") }
  public init(_ content: GeneratedContent) throws {
    guard case .bool(let value) = content.json else { throw content.unexpected("true or false") }
    self = value
  }
  public var generatedContent: GeneratedContent { GeneratedContent(json: .bool(self)) }
}

extension String: Generable {
  public static var generationSchema: GenerationSchema { .type("string") }
  public init(_ content: GeneratedContent) throws {
    guard case .string(let text) = content.json else { throw content.unexpected("a string") }
    self = text
  }
  public var generatedContent: GeneratedContent { GeneratedContent(json: .string(self)) }
}

extension Int: Generable {
  public static var generationSchema: GenerationSchema { .type("integer") }
  public init(_ content: GeneratedContent) throws {
    self = try content.number("a whole number of 64 bits")
  }
  public var generatedContent: GeneratedContent { GeneratedContent(json: .number("\(self)")) }
}

extension Double: Generable {
  public static var generationSchema: GenerationSchema { .type("number") }
  public init(_ content: GeneratedContent) throws { self = try content.number("a number") }
  /// null where the number is infinite or none.
  public var generatedContent: GeneratedContent {
    GeneratedContent(json: isFinite ? .number("\(self)") : .null)
  }
}

extension Float: Generable {
  public static var generationSchema: GenerationSchema { .type("number") }
  public init(_ content: GeneratedContent) throws { self = try content.number("a number") }
  /// null where the number is infinite or none.
  public var generatedContent: GeneratedContent {
    GeneratedContent(json: isFinite ? .number("\(self)") : .null)
  }
}

extension Array: ConvertibleFromGeneratedContent where Element: ConvertibleFromGeneratedContent {
  public init(_ content: GeneratedContent) throws {
    guard case .array(let elements) = content.kind else { throw content.unexpected("a list") }
    guard content.isComplete else {
      // The last one may not be there as far as its type needs it.
      self = elements.compactMap { try? Element($0) }
      return
    }
    self = try elements.map { try Element($0) }
  }
}

extension Array: ConvertibleToGeneratedContent where Element: ConvertibleToGeneratedContent {
  public var generatedContent: GeneratedContent {
    GeneratedContent(elements: map { $0 as any ConvertibleToGeneratedContent })
  }
}

extension Array: Generable where Element: Generable {
  public typealias PartiallyGenerated = [Element.PartiallyGenerated]
  public static var generationSchema: GenerationSchema {
    GenerationSchema(node: .list(Element.self))
  }
}

extension Optional: ConvertibleToGeneratedContent where Wrapped: ConvertibleToGeneratedContent {
  public var generatedContent: GeneratedContent {
    self?.generatedContent ?? GeneratedContent(json: .null)
  }
}

/// An optional of any type.
protocol OptionalContent {
  var isNil: Bool { get }
}

extension Optional: OptionalContent where Wrapped: ConvertibleToGeneratedContent {
  var isNil: Bool { if case .none = self { true } else { false } }
}

extension Never: Generable {
  /// No value is valid.
  public static var generationSchema: GenerationSchema {
    GenerationSchema(node: .json(.bool(false)))
  }
  public init(_ content: GeneratedContent) throws { throw content.unexpected("nothing") }
  public var generatedContent: GeneratedContent { switch self {} }
}
