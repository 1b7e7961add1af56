import OrderedJSON

/// What a template computes with: Python's values, as far as templates need them.
public indirect enum Value: Sendable {
  /// What has no value, and what was looked for.
  case undefined(String)
  case none
  case bool(Bool)
  case int(Int)
  /// A whole number beyond 64 bits, as it was written: it can be printed, and not computed with.
  case largeInteger(String)
  case float(Double)
  case text(Text)
  case list(ValueList)
  case tuple(ValueList)
  case dictionary(ValueDictionary)
  case object(any TemplateObject)

  /// Text that is given to a template.
  public init(given string: String) { self = .text(Text(given: string)) }

  /// What JSON says; all its strings count as given to the template.
  package init(_ json: JSON) {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .bool(value)
    case .number(let digits):
      if let integer = Int(digits) {
        self = .int(integer)
      } else if digits.allSatisfy({ $0.isNumber || $0 == "-" }) {
        self = .largeInteger(digits)
      } else {
        self = .float(Double(digits) ?? 0)
      }
    case .string(let value): self = Value(given: value)
    case .array(let items): self = .list(items.map { Value($0) })
    case .object(let items):
      var dictionary = ValueDictionary()
      for (key, value) in items { dictionary[Value(given: key)] = Value(value) }
      self = .dictionary(dictionary)
    }
  }

  /// Text of the template's own.
  static func string(_ string: String) -> Value { .text(Text(string)) }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }

  /// As Python's `bool`.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .largeInteger: true
    case .text(let text): !text.isEmpty
    case .list(let items), .tuple(let items): !items.isEmpty
    case .dictionary(let dictionary): dictionary.count > 0
    case .object: true
    }
  }

  /// Python's name of the type, for errors.
  var typeName: String {
    switch self {
    case .undefined: "undefined"
    case .none: "None"
    case .bool: "bool"
    case .int, .largeInteger: "int"
    case .float: "float"
    case .text: "string"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .object(let object): object.typeName
    }
  }

  var number: Double? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .int(let value): Double(value)
    case .float(let value): value
    default: nil
    }
  }

  /// Whole numbers, and truth values, which Python counts among them.
  var integer: Int? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .int(let value): value
    default: nil
    }
  }
}

extension Value: Hashable {
  public static func == (a: Value, b: Value) -> Bool {
    if let first = a.integer, let second = b.integer { return first == second }
    if let first = a.number, let second = b.number { return first == second }
    return switch (a, b) {
    case (.undefined, .undefined), (.none, .none): true
    case (.text(let first), .text(let second)): first == second
    case (.largeInteger(let first), .largeInteger(let second)): first == second
    case (.list(let first), .list(let second)): first == second
    case (.tuple(let first), .tuple(let second)): first == second
    case (.dictionary(let first), .dictionary(let second)): first == second
    case (.object(let first), .object(let second)): first === second
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .undefined, .none: hasher.combine(0)
    case .bool, .int, .float: hasher.combine(number ?? 0)
    case .text(let text): hasher.combine(text)
    case .largeInteger(let digits): hasher.combine(digits)
    case .list(let items), .tuple(let items): hasher.combine(items)
    case .dictionary(let dictionary): hasher.combine(dictionary.count)
    case .object(let object): hasher.combine(ObjectIdentifier(object))
    }
  }
}

/// Python's `dict`: keys keep the order in which they came.
public struct ValueDictionary: Sendable, Equatable {
  public private(set) var items: [(key: Value, value: Value)] = []
  /// 1 more than that of the deepest value or key that ever was in it.
  private(set) var depth = 1
  private var places: [Value: Int] = [:]

  public init() {}

  public var count: Int { items.count }

  public subscript(_ key: Value) -> Value? {
    get { places[key].map { items[$0].value } }
    set {
      guard let newValue else { return }
      depth = max(depth, 1 + max(key.depth, newValue.depth))
      if let place = places[key] {
        items[place].value = newValue
      } else {
        places[key] = items.count
        items.append((key, newValue))
      }
    }
  }

  public static func == (a: ValueDictionary, b: ValueDictionary) -> Bool {
    a.count == b.count && a.items.allSatisfy { b[$0.key] == $0.value }
  }
}

/// Something with state or code that templates reach by name: loops, macros, namespaces.
public protocol TemplateObject: AnyObject, Sendable {
  var typeName: String { get }
  /// 1 more than that of the deepest value that it was made with. What it is given later does not count: the
  /// interpreter keeps those objects until it lets go of their values one by one.
  var depth: Int { get }
}

/// Why a template gives no text.
public struct TemplateError: Error, Equatable, Sendable {
  public enum Kind: Sendable {
    /// The template cannot be read.
    case syntax
    /// It does what has no meaning, or what is not allowed.
    case failure
    /// It says so itself, with `raise_exception`.
    case raised
    /// It wants more steps, text or depth than it may have.
    case limit
  }

  public var kind: Kind
  public var message: String
  /// Of the template, from 1.
  public var line: Int?

  init(_ kind: Kind, _ message: String, line: Int? = nil) {
    self.kind = kind
    self.message = message
    self.line = line
  }

  static func failure(_ message: String) -> TemplateError { TemplateError(.failure, message) }
}

extension TemplateError: CustomStringConvertible {
  public var description: String { line.map { "line \($0): \(message)" } ?? message }
}
