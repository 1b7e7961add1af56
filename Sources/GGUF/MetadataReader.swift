/// Reads typed metadata by key; what is missing or of another type is an error with its name.
public struct MetadataReader: Sendable {
  let file: GGUFFile

  /// Reads the metadata of `file`.
  public init(_ file: GGUFFile) { self.file = file }

  private func mismatch(_ entry: GGUFFile.Entry, _ allowed: String) -> GGUFError {
    let found: String
    switch entry.value {
    case .unsigned(let value, _): found = "\(value)"
    case .signed(let value, _): found = "\(value)"
    case .float(let value, _): found = "\(value)"
    case .bool(let value): found = "\(value)"
    case .string(let value): found = "\"\(printable(value))\""
    case .array(let array): found = "\(array.count) x \(array.elementType)"
    }
    return GGUFError(
      file: file.name, field: entry.key, offset: entry.offset,
      reason: .invalid(found: found, allowed: allowed))
  }

  private func require<T>(_ value: T?, _ key: String) throws(GGUFError) -> T {
    guard let value else { throw GGUFError(file: file.name, field: key, reason: .missing) }
    return value
  }

  /// A whole number in `range`, of any integer type; nil where the key is missing.
  public func integer(_ key: String, in range: ClosedRange<Int>) throws(GGUFError) -> Int? {
    guard let entry = file.entry(key) else { return nil }
    let value: Int?
    switch entry.value {
    case .unsigned(let raw, _): value = Int(exactly: raw)
    case .signed(let raw, _): value = Int(exactly: raw)
    default: value = nil
    }
    guard let value, range.contains(value) else {
      throw mismatch(entry, "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A whole number that has to be there. Throws where it is missing, of another type, or outside
  /// `range`.
  public func requiredInteger(_ key: String, in range: ClosedRange<Int>) throws(GGUFError) -> Int {
    try require(try integer(key, in: range), key)
  }

  /// A finite float in `range`.
  public func float(_ key: String, in range: ClosedRange<Double>) throws(GGUFError) -> Double? {
    guard let entry = file.entry(key) else { return nil }
    guard case .float(let value, _) = entry.value, value.isFinite, range.contains(value) else {
      throw mismatch(entry, "a finite float from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A number that has to be there. Throws where it is missing, of another type, or outside
  /// `range`.
  public func requiredFloat(_ key: String, in range: ClosedRange<Double>) throws(GGUFError)
    -> Double
  { try require(try float(key, in: range), key) }

  /// A string; nil where it is missing. Throws where it is of another type.
  public func string(_ key: String) throws(GGUFError) -> String? {
    guard let entry = file.entry(key) else { return nil }
    guard case .string(let value) = entry.value else { throw mismatch(entry, "a string") }
    return value
  }

  /// A string that has to be there. Throws where it is missing or of another type.
  public func requiredString(_ key: String) throws(GGUFError) -> String {
    try require(try string(key), key)
  }

  /// A bool; nil where it is missing. Throws where it is of another type.
  public func bool(_ key: String) throws(GGUFError) -> Bool? {
    guard let entry = file.entry(key) else { return nil }
    guard case .bool(let value) = entry.value else { throw mismatch(entry, "a bool") }
    return value
  }

  /// An array of strings; nil where it is missing. Throws where it is of another type.
  public func strings(_ key: String) throws(GGUFError) -> MetadataArray? {
    guard let entry = file.entry(key) else { return nil }
    guard case .array(let array) = entry.value, array.elementType == .string else {
      throw mismatch(entry, "an array of strings")
    }
    return array
  }

  /// An array of strings that has to be there. Throws where it is missing or of another type.
  public func requiredStrings(_ key: String) throws(GGUFError) -> MetadataArray {
    try require(try strings(key), key)
  }

  /// An array of `count` whole numbers; nil where it is missing. Throws where it is anything else.
  public func integers(_ key: String, count: Int) throws(GGUFError) -> [Int64]? {
    guard let entry = file.entry(key) else { return nil }
    guard case .array(let array) = entry.value, array.count == count,
      array.elementType == .int32 || array.elementType == .uint32, let values = array.integers()
    else { throw mismatch(entry, "an array of \(count) int32 or uint32") }
    return values
  }

  /// Checks that `key`, if it is there, is an array of `count` float32.
  public func requireFloats(_ key: String, count: Int) throws(GGUFError) {
    guard let entry = file.entry(key) else { return }
    guard case .array(let array) = entry.value, array.count == count,
      array.elementType == .float32
    else { throw mismatch(entry, "an array of \(count) float32") }
  }

  /// An error about `key` for a rule that only the caller knows.
  public func refuse(_ key: String, found: String, allowed: String) -> GGUFError {
    GGUFError(
      file: file.name, field: key, offset: file.entry(key)?.offset,
      reason: .invalid(found: found, allowed: allowed))
  }

  /// An error about something sound that Swiftlet does not compute with.
  public func unsupported(_ key: String, found: String, allowed: String) -> GGUFError {
    GGUFError(
      file: file.name, field: key, offset: file.entry(key)?.offset,
      reason: .unsupported(found: found, allowed: allowed))
  }
}
