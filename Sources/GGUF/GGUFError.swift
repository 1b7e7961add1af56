/// Why a file was refused: what, where, what was found, what is allowed.
public struct GGUFError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Reason: Equatable, Sendable {
    /// The file could not be opened or mapped.
    case unreadable(String)
    /// The file could not be written.
    case unwritable(String)
    /// The bytes are not a GGUF file.
    case notGGUF(String)
    /// The file ends inside the field.
    case truncated(needed: UInt64, available: UInt64)
    /// A value is outside what the format allows.
    case invalid(found: String, allowed: String)
    /// A key that is needed is not there.
    case missing
    /// The file is sound but holds something that Swiftlet does not compute with.
    case unsupported(found: String, allowed: String)
  }

  /// Path of the file, or a name for bytes in memory.
  public var file: String
  /// The key, tensor or header field, escaped and cut to 100 characters.
  public var field: String
  /// Byte offset of the field in the file, where there is one.
  public var offset: Int?
  /// What is wrong.
  public var reason: Reason

  /// An error at byte `offset` of `file`; nil where no single byte is to blame.
  public init(file: String, field: String, offset: Int? = nil, reason: Reason) {
    self.file = file
    self.field = printable(field)
    self.offset = offset
    self.reason = reason
  }
}

extension GGUFError: CustomStringConvertible {
  public var description: String {
    let place = offset.map { "\(file): \(field) at offset \($0)" } ?? "\(file): \(field)"
    switch reason {
    case .unreadable(let why), .unwritable(let why): return "\(file): \(why)"
    case .notGGUF(let what): return "\(place): not a GGUF file: \(what)"
    case .truncated(let needed, let available):
      return "\(place): the file ends early: \(needed) bytes needed, \(available) left"
    case .invalid(let found, let allowed): return "\(place): found \(found), allowed \(allowed)"
    case .missing: return "\(place): missing"
    case .unsupported(let found, let allowed):
      return "\(place): \(found) is not supported (supported: \(allowed))"
    }
  }
}

/// Text from a file made safe to print: control characters escaped, cut to `limit` scalars.
public func printable(_ text: String, limit: Int = 100) -> String {
  var result = ""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == limit { return result + "…" }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
