import Swiftlet

/// A file's metadata and tensors, a line each.
struct FileListing {
  let file: GGUFFile

  var metadata: String {
    file.entries.map { "\(printable($0.key)) = \($0.value.short)\n" }.joined()
  }

  var tensors: String {
    file.tensors.map { tensor in
      let shape = tensor.dimensions.map(String.init).joined(separator: " x ")
      return "\(printable(tensor.name).padded(32)) \(tensor.type.name.padded(7)) "
        + "[\(shape)]".padded(18) + " offset \(file.byteRange(of: tensor).lowerBound), "
        + "\(tensor.byteCount) bytes\n"
    }.joined()
  }

  /// The value of `key`, whole: of an array an element a line.
  ///
  /// - Throws: `GGUFError.Reason.missing`.
  func value(of key: String) throws -> String {
    guard let entry = file.entry(key) else {
      throw GGUFError(file: file.name, field: key, reason: .missing)
    }
    guard case .array(let array) = entry.value else { return entry.value.text }
    if let integers = array.integers() { return integers.map(String.init).joined(separator: "\n") }
    if let floats = array.floats() { return floats.map { "\($0)" }.joined(separator: "\n") }
    if let bools = array.bools() { return bools.map { "\($0)" }.joined(separator: "\n") }
    var lines: [String] = []
    array.forEachString { _, bytes in
      lines.append(printable(String(decoding: bytes, as: UTF8.self), limit: .max))
    }
    return lines.joined(separator: "\n")
  }
}

extension MetadataValue {
  /// As text; of an array its length and element type.
  var text: String {
    switch self {
    case .unsigned(let number, _): "\(number)"
    case .signed(let number, _): "\(number)"
    case .float(let number, .float32): "\(Float(number))"
    case .float(let number, _): "\(number)"
    case .bool(let flag): "\(flag)"
    case .string(let text): text
    case .array(let array): "\(array.count) x \(array.elementType)"
    }
  }

  /// As `text`, quoted and cut short where it is one.
  var short: String {
    if case .string(let text) = self { return "\"\(printable(text, limit: 60))\"" }
    return text
  }
}

extension String {
  /// Followed by spaces up to `width` characters.
  func padded(_ width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
