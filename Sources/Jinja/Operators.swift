#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Arithmetic and comparison, as Python does them, on numbers of 64 bits.
extension Interpreter {
  func apply(_ sign: UnaryOperator, _ value: Value) throws -> Value {
    if sign == .not { return .bool(!value.isTrue) }
    if let integer = value.integer {
      if sign == .plus { return .int(integer) }
      return .int(try checked(integer.multipliedReportingOverflow(by: -1)))
    }
    guard case .float(let number) = value else {
      throw TemplateError.failure("a sign before a \(value.typeName)")
    }
    return .float(sign == .minus ? -number : number)
  }

  func apply(_ operation: BinaryOperator, _ a: Value, _ b: Value) throws -> Value {
    if operation == .concatenate {
      let (first, second) = (try string(a), try string(b))
      try spend(text: first.count + second.count)
      return .text(first + second)
    }
    if let first = a.integer, let second = b.integer {
      return try integers(operation, first, second)
    }
    if let first = a.number, let second = b.number { return try floats(operation, first, second) }
    switch (operation, a, b) {
    case (.add, .text(let first), .text(let second)):
      try spend(text: first.count + second.count)
      return .text(Text.joined(first, second))
    case (.add, .list(let first), .list(let second)):
      try spend(first.count + second.count)
      return .list(first.items + second.items)
    case (.add, .tuple(let first), .tuple(let second)):
      try spend(first.count + second.count)
      return .tuple(first.items + second.items)
    case (.multiply, .text(let text), _) where b.integer != nil:
      return .text(Text(units: try repeated(text.units, b.integer ?? 0, each: 16)))
    case (.multiply, _, .text(let text)) where a.integer != nil:
      return .text(Text(units: try repeated(text.units, a.integer ?? 0, each: 16)))
    case (.multiply, .list(let items), _) where b.integer != nil:
      return .list(try repeated(items.items, b.integer ?? 0, each: 1))
    case (.multiply, _, .list(let items)) where a.integer != nil:
      return .list(try repeated(items.items, a.integer ?? 0, each: 1))
    case (.remainder, .text(let format), _): return .text(try formatted(format, with: b))
    default:
      if case .undefined(let what) = a { throw TemplateError.failure("'\(what)' is undefined") }
      if case .undefined(let what) = b { throw TemplateError.failure("'\(what)' is undefined") }
      throw TemplateError.failure(
        "'\(operation.rawValue)' between a \(a.typeName) and a \(b.typeName)")
    }
  }

  /// - Parameter each: items that count as one step.
  private func repeated<T>(_ items: [T], _ count: Int, each: Int) throws -> [T] {
    let times = max(0, count)
    let (total, overflow) = items.count.multipliedReportingOverflow(by: times)
    try spend(overflow ? Int.max / 2 : total / each + 1)
    guard !items.isEmpty else { return [] }
    return Array(repeatElement(items, count: times).joined())
  }

  private func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Int {
    guard !result.overflow else { throw TemplateError.failure("a number beyond 64 bits") }
    return result.partialValue
  }

  private func integers(_ operation: BinaryOperator, _ a: Int, _ b: Int) throws -> Value {
    switch operation {
    case .add: return .int(try checked(a.addingReportingOverflow(b)))
    case .subtract: return .int(try checked(a.subtractingReportingOverflow(b)))
    case .multiply: return .int(try checked(a.multipliedReportingOverflow(by: b)))
    case .floorDivide, .remainder:
      guard b != 0 else { throw TemplateError.failure("division by zero") }
      let quotient = try checked(a.dividedReportingOverflow(by: b))
      let remainder = try checked(a.remainderReportingOverflow(dividingBy: b))
      // Towards minus infinity, with a remainder of the divisor's sign.
      let isOff = remainder != 0 && (remainder < 0) != (b < 0)
      if operation == .remainder { return .int(isOff ? remainder + b : remainder) }
      return .int(isOff ? quotient - 1 : quotient)
    case .power where b >= 0: return .int(try power(a, b))
    default: return try floats(operation, Double(a), Double(b))
    }
  }

  private func power(_ base: Int, _ exponent: Int) throws -> Int {
    if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
    if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
    var result = 1
    // At most 63 rounds: then it overflows.
    for _ in 0..<exponent { result = try checked(result.multipliedReportingOverflow(by: base)) }
    return result
  }

  private func floats(_ operation: BinaryOperator, _ a: Double, _ b: Double) throws -> Value {
    if [.divide, .floorDivide, .remainder].contains(operation), b == 0 {
      throw TemplateError.failure("division by zero")
    }
    switch operation {
    case .add: return .float(a + b)
    case .subtract: return .float(a - b)
    case .multiply: return .float(a * b)
    case .divide: return .float(a / b)
    case .floorDivide: return .float((a / b).rounded(.down))
    case .remainder:
      let remainder = fmod(a, b)
      if remainder == 0 { return .float(copysign(0, b)) }
      return .float((remainder < 0) != (b < 0) ? remainder + b : remainder)
    default:
      if a == 0, b < 0 { throw TemplateError.failure("zero to a negative power") }
      return .float(pow(a, b))
    }
  }

  // MARK: Comparison

  func holds(_ comparison: Comparison, _ a: Value, _ b: Value) throws -> Bool {
    switch comparison {
    case .equal: return try equals(a, b)
    case .notEqual: return try !equals(a, b)
    case .in: return try contains(b, a)
    case .notIn: return try !contains(b, a)
    case .less: return try isLess(a, b)
    case .lessOrEqual: return try equals(a, b) || isLess(a, b)
    case .greater: return try isLess(b, a)
    case .greaterOrEqual: return try equals(a, b) || isLess(b, a)
    }
  }

  /// As `==`, with a step for each value inside: lists that hold one list many times are larger than the
  /// memory that they take.
  func equals(_ a: Value, _ b: Value) throws -> Bool {
    try spend()
    switch (a, b) {
    case (.text(let first), .text(let second)):
      try spend(text: min(first.count, second.count))
      return first == second
    case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
      guard first.count == second.count else { return false }
      return try nested { try zip(first, second).allSatisfy { try equals($0, $1) } }
    case (.dictionary(let first), .dictionary(let second)):
      guard first.count == second.count else { return false }
      return try nested {
        try first.items.allSatisfy { key, value in
          try measure(key)
          guard let other = second[key] else { return false }
          return try equals(value, other)
        }
      }
    default: return a == b
    }
  }

  /// Counts a step for each value inside, as hashing and comparing it will take.
  func measure(_ value: Value) throws {
    try spend()
    switch value {
    case .text(let text): try spend(text: text.count)
    case .list(let items), .tuple(let items): try nested { for item in items { try measure(item) } }
    default: break
    }
  }

  /// Whether `a` comes before `b`.
  func isLess(_ a: Value, _ b: Value) throws -> Bool {
    if let first = a.integer, let second = b.integer { return first < second }
    if let first = a.number, let second = b.number { return first < second }
    switch (a, b) {
    case (.text(let first), .text(let second)):
      try spend(text: min(first.count, second.count))
      return first < second
    case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
      for (x, y) in zip(first, second) where try !equals(x, y) {
        return try nested { try isLess(x, y) }
      }
      return first.count < second.count
    default:
      throw TemplateError.failure("a \(a.typeName) and a \(b.typeName) have no order")
    }
  }

  private func contains(_ container: Value, _ value: Value) throws -> Bool {
    switch container {
    case .text(let text):
      guard case .text(let part) = value else {
        throw TemplateError.failure("a \(value.typeName) in a string")
      }
      try spend(text: text.count)
      return text.contains(part)
    case .dictionary(let dictionary):
      try requireHashable(value)
      return dictionary[value] != nil
    default: return try items(container).contains { try equals($0, value) }
    }
  }
}
