import OrderedJSON

/// What values a property may have; generation keeps to it.
///
/// Shaped like FoundationModels' type of the same name; patterns are texts (ECMA-262, see docs/guided.md), as
/// JSON Schema has them.
public struct GenerationGuide<Value>: Sendable {
  /// Keywords of JSON Schema; those of elements under "items".
  let keywords: [(key: String, value: JSON)]

  fileprivate init(_ keywords: [(key: String, value: JSON)]) { self.keywords = keywords }

  fileprivate init(_ key: String, _ number: some LosslessStringConvertible) {
    keywords = [(key, .number("\(number)"))]
  }
}

extension GenerationGuide where Value == String {
  /// One text alone.
  public static func constant(_ value: String) -> Self { Self([("const", .string(value))]) }

  /// One of `values`.
  public static func anyOf(_ values: [String]) -> Self {
    Self([("enum", .array(values.map { .string($0) }))])
  }

  /// A text that matches a regular expression, somewhere unless it has `^` and `$`.
  public static func pattern(_ pattern: String) -> Self { Self([("pattern", .string(pattern))]) }

  /// At most so many characters (Unicode scalars).
  public static func maximumLength(_ length: Int) -> Self { Self("maxLength", length) }

  /// At least so many characters (Unicode scalars).
  public static func minimumLength(_ length: Int) -> Self { Self("minLength", length) }
}

extension GenerationGuide where Value == Int {
  /// At least `value`.
  public static func minimum(_ value: Int) -> Self { Self("minimum", value) }
  /// At most `value`.
  public static func maximum(_ value: Int) -> Self { Self("maximum", value) }
  /// Within `range`, bounds included.
  public static func range(_ range: ClosedRange<Int>) -> Self { Self(bounds: range) }
}

extension GenerationGuide where Value == Double {
  /// At least `value`.
  public static func minimum(_ value: Double) -> Self { Self("minimum", value) }
  /// At most `value`.
  public static func maximum(_ value: Double) -> Self { Self("maximum", value) }
  /// Within `range`, bounds included.
  public static func range(_ range: ClosedRange<Double>) -> Self { Self(bounds: range) }
}

extension GenerationGuide where Value == Float {
  /// At least `value`.
  public static func minimum(_ value: Float) -> Self { Self("minimum", value) }
  /// At most `value`.
  public static func maximum(_ value: Float) -> Self { Self("maximum", value) }
  /// Within `range`, bounds included.
  public static func range(_ range: ClosedRange<Float>) -> Self { Self(bounds: range) }
}

extension GenerationGuide {
  fileprivate init<Bound: LosslessStringConvertible>(bounds: ClosedRange<Bound>) {
    keywords = [
      ("minimum", .number("\(bounds.lowerBound)")), ("maximum", .number("\(bounds.upperBound)")),
    ]
  }

  /// At least so many elements.
  public static func minimumCount<Element>(_ count: Int) -> Self where Value == [Element] {
    Self("minItems", count)
  }

  /// At most so many elements.
  public static func maximumCount<Element>(_ count: Int) -> Self where Value == [Element] {
    Self("maxItems", count)
  }

  /// So many elements.
  public static func count<Element>(_ count: Int) -> Self where Value == [Element] {
    Self.count(count...count)
  }

  /// A number of elements in a range.
  public static func count<Element>(_ range: ClosedRange<Int>) -> Self where Value == [Element] {
    Self([
      ("minItems", .number("\(range.lowerBound)")), ("maxItems", .number("\(range.upperBound)")),
    ])
  }

  /// Each element as `guide` says.
  public static func element<Element>(_ guide: GenerationGuide<Element>) -> Self
  where Value == [Element] {
    Self([("items", .object(guide.keywords))])
  }
}

// What `@Guide(.count(3))` is read as before the type of the elements is known; `@Generable` writes the guide
// again with the property's type.
extension GenerationGuide where Value == [Never] {
  /// At least so many elements.
  public static func minimumCount(_ count: Int) -> Self { Self("minItems", count) }
  /// At most so many elements.
  public static func maximumCount(_ count: Int) -> Self { Self("maxItems", count) }
  /// So many elements.
  @_disfavoredOverload
  public static func count(_ count: Int) -> Self { Self.count(count...count) }
  /// A number of elements in a range.
  public static func count(_ range: ClosedRange<Int>) -> Self {
    Self([
      ("minItems", .number("\(range.lowerBound)")), ("maxItems", .number("\(range.upperBound)")),
    ])
  }
}
