/// Reads little-endian fields from untrusted bytes, each length checked against what is left.
struct ByteCursor {
  let bytes: UnsafeRawBufferPointer
  let file: String
  /// Keeps `bytes` alive.
  private let storage: MappedBytes
  /// Length of the file, of which `bytes` may be only the beginning.
  private let fileByteCount: Int
  private(set) var position = 0

  /// Bytes of the file that are left, whether they are here or not.
  var remaining: Int { fileByteCount - position }

  init(_ storage: MappedBytes) {
    self.storage = storage
    bytes = storage.bytes
    file = storage.name
    fileByteCount = storage.fileByteCount
  }

  func error(_ field: String, at offset: Int? = nil, _ reason: GGUFError.Reason) -> GGUFError {
    GGUFError(file: file, field: field, offset: offset ?? position, reason: reason)
  }

  /// Moves past `count` bytes and returns where they start.
  mutating func skip(_ count: UInt64, _ field: String) throws(GGUFError) -> Int {
    guard count <= UInt64(remaining), count <= UInt64(bytes.count - position) else {
      throw error(field, .truncated(needed: count, available: UInt64(bytes.count - position)))
    }
    let start = position
    position += Int(count)
    return start
  }

  mutating func integer<T: FixedWidthInteger>(_ type: T.Type, _ field: String) throws(GGUFError)
    -> T
  {
    let start = try skip(UInt64(MemoryLayout<T>.size), field)
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: T.self))
  }

  /// A length-prefixed string of at most `limit` bytes, as the range of its bytes.
  mutating func stringRange(_ field: String, limit: Int) throws(GGUFError) -> Range<Int> {
    let at = position
    let length = try integer(UInt64.self, field)
    guard length <= UInt64(limit) else {
      throw error(
        field, at: at, .invalid(found: "a length of \(length)", allowed: "at most \(limit) bytes"))
    }
    let start = try skip(length, field)
    return start..<position
  }

  /// As `stringRange`, and valid UTF-8; without NUL, which would cut names short elsewhere, unless that
  /// is allowed.
  mutating func text(_ field: String, limit: Int, allowsNUL: Bool = false) throws(GGUFError)
    -> String
  {
    let at = position
    let range = try stringRange(field, limit: limit)
    let slice = UnsafeRawBufferPointer(rebasing: bytes[range])
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw error(field, at: at, .invalid(found: "bytes that are not UTF-8", allowed: "UTF-8"))
    }
    guard allowsNUL || !slice.contains(0) else {
      throw error(field, at: at, .invalid(found: "a NUL byte", allowed: "text without NUL"))
    }
    return text
  }
}
