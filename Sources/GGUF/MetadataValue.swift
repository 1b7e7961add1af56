/// The type of a metadata value, by number (ggml `docs/gguf.md`, `gguf_metadata_value_type`).
public enum MetadataType: UInt32, Sendable, CaseIterable {
  /// By ggml's numbers (`docs/gguf.md`, `gguf_metadata_value_type`).
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64
  /// IEEE 754 double precision.
  case float64

  /// Bytes that a value takes at least: what bounds an array's count by the bytes there are.
  var minimumBytes: UInt64 {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 12
    }
  }
}

/// One metadata value. Arrays stay in the file's bytes until somebody asks for them.
public enum MetadataValue: Sendable {
  /// A whole number of an unsigned type.
  case unsigned(UInt64, MetadataType)
  /// A whole number of a signed type.
  case signed(Int64, MetadataType)
  /// A float32 or float64.
  case float(Double, MetadataType)
  /// True or false.
  case bool(Bool)
  /// A string.
  case string(String)
  /// Values of one type, read when they are asked for.
  case array(MetadataArray)

  /// The type in the file.
  public var type: MetadataType {
    switch self {
    case .unsigned(_, let type), .signed(_, let type), .float(_, let type): type
    case .bool: .bool
    case .string: .string
    case .array: .array
    }
  }
}

/// An array of metadata values that was checked when the file was opened, kept as its bytes.
public struct MetadataArray: Sendable {
  /// The type of each element.
  public let elementType: MetadataType
  /// Elements.
  public let count: Int
  let storage: MappedBytes
  /// The elements' bytes in the file.
  let range: Range<Int>

  /// Bytes that the elements take in the file.
  public var byteCount: Int { range.count }

  /// The elements as integers; nil unless they are integers that fit.
  public func integers() -> [Int64]? {
    switch elementType {
    case .uint8: fixed(UInt8.self) { Int64($0) }
    case .int8: fixed(Int8.self) { Int64($0) }
    case .uint16: fixed(UInt16.self) { Int64($0) }
    case .int16: fixed(Int16.self) { Int64($0) }
    case .uint32: fixed(UInt32.self) { Int64($0) }
    case .int32: fixed(Int32.self) { Int64($0) }
    case .int64: fixed(Int64.self) { $0 }
    case .uint64: fixed(UInt64.self) { Int64(exactly: $0) }
    default: nil
    }
  }

  /// The elements as numbers; nil unless they are floats.
  public func floats() -> [Double]? {
    switch elementType {
    case .float32: fixed(UInt32.self) { Double(Float(bitPattern: $0)) }
    case .float64: fixed(UInt64.self) { Double(bitPattern: $0) }
    default: nil
    }
  }

  /// The elements; nil where they are of another type.
  public func bools() -> [Bool]? {
    elementType == .bool ? fixed(UInt8.self) { $0 != 0 } : nil
  }

  /// Calls `body` with the bytes of each string element in order; false unless they are strings, and
  /// where another process changed the file meanwhile so that they no longer fit into it.
  ///
  /// The bytes are not checked to be UTF-8: vocabularies may hold partial characters.
  @discardableResult
  public func forEachString(_ body: (Int, UnsafeRawBufferPointer) throws -> Void) rethrows -> Bool {
    guard elementType == .string else { return false }
    var position = range.lowerBound
    for index in 0..<count {
      guard range.upperBound - position >= 8 else { return false }
      let length = UInt64(
        littleEndian: storage.bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
      guard length <= UInt64(range.upperBound - position) else { return false }
      let end = position + Int(length)
      try body(index, UnsafeRawBufferPointer(rebasing: storage.bytes[position..<end]))
      position = end
    }
    return true
  }

  /// The string element at `index`, invalid UTF-8 replaced; nil where there is none. Walks over those
  /// before it.
  public func string(at index: Int) -> String? {
    struct Found: Error { let text: String }
    do {
      try forEachString { place, bytes in
        if place == index { throw Found(text: String(decoding: bytes, as: UTF8.self)) }
      }
      return nil
    } catch { return (error as? Found)?.text }
  }

  private func fixed<T: FixedWidthInteger, R>(_ type: T.Type, _ convert: (T) -> R?) -> [R]? {
    var result: [R] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      let offset = range.lowerBound + index * MemoryLayout<T>.size
      let raw = T(littleEndian: storage.bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
      guard let value = convert(raw) else { return nil }
      result.append(value)
    }
    return result
  }
}
