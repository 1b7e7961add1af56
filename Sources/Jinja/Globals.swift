#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What every template can call.
enum Globals {
  /// Numbers of a `range`, as in jinja2's sandbox.
  private static let longestRange = 100_000

  static let functions: [String: Value] = [
    "range": function("range", range),
    "dict": function("dict") { interpreter, arguments in
      var dictionary = ValueDictionary()
      if let first = arguments.positional.first {
        for (key, value) in try interpreter.pairs(first) { dictionary[key] = value }
      }
      for name in arguments.names { dictionary[.string(name)] = arguments.named[name] }
      return .dictionary(dictionary)
    },
    "namespace": function("namespace") { interpreter, arguments in
      var values = arguments.named
      if let first = arguments.positional.first {
        for (key, value) in try interpreter.pairs(first) {
          values[try interpreter.string(key).string] = value
        }
      }
      guard !values.keys.contains(where: { $0.hasPrefix("_") }) else {
        throw TemplateError.failure("a namespace has no attributes that begin with '_'")
      }
      let namespace = Namespace(values)
      interpreter.keep(namespace)
      return .object(namespace)
    },
    "cycler": function("cycler") { _, arguments in
      guard !arguments.positional.isEmpty else { throw TemplateError.failure("no items given") }
      return .object(Cycler(arguments.positional))
    },
    "joiner": function("joiner") { _, arguments in
      let separator = arguments.value(0, "sep") ?? .string(", ")
      var isFirst = true
      return .object(
        Function("joiner") { _, _ in
          defer { isFirst = false }
          return isFirst ? .string("") : separator
        })
    },
    "raise_exception": function("raise_exception") { interpreter, arguments in
      let message = try interpreter.string(arguments.value(0, "message") ?? .none)
      throw TemplateError(.raised, message.string)
    },
    "strftime_now": function("strftime_now") { interpreter, arguments in
      let format = try interpreter.string(arguments.value(0, "format") ?? .none)
      return .text(Text(try time(format.string, interpreter.now)).marked(like: format))
    },
  ]

  private static func function(
    _ name: String, _ body: @escaping (Interpreter, CallArguments) throws -> Value
  ) -> Value { .object(Function(name, body)) }

  private static func range(_ interpreter: Interpreter, _ arguments: CallArguments) throws -> Value
  {
    let bounds = try arguments.positional.map { value in
      guard let integer = value.integer else {
        throw TemplateError.failure("range() of a \(value.typeName)")
      }
      return integer
    }
    guard (1...3).contains(bounds.count) else {
      throw TemplateError.failure("range() takes 1 to 3 numbers")
    }
    let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let step = bounds.count == 3 ? bounds[2] : 1
    guard step != 0 else { throw TemplateError.failure("range() with a step of 0") }
    // Counted in floating point, which cannot overflow.
    let length = max(0, ((Double(stop) - Double(start)) / Double(step)).rounded(.up))
    guard length <= Double(longestRange) else {
      throw TemplateError(.limit, "a range of more than \(longestRange) numbers")
    }
    try interpreter.spend(Int(length))
    return .list((0..<Int(length)).map { .int(start + $0 * step) })
  }

  private static func time(_ format: String, _ moment: Template.Moment) throws -> String {
    guard !format.isEmpty else { return "" }
    var buffer = [CChar](repeating: 0, count: min(4096, format.utf8.count * 32) + 64)
    var parts = moment.parts
    // The space keeps an empty result apart from a failed one.
    let count = strftime(&buffer, buffer.count, format + " ", &parts)
    guard count > 0 else {
      throw TemplateError(.limit, "a date of more than \(buffer.count) bytes")
    }
    let bytes = buffer.prefix(count - 1).map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
