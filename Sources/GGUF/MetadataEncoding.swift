/// Values as they lie in a file, little-endian (ggml `docs/gguf.md`).
extension MetadataValue {
  /// The value's bytes, without its type.
  public var encoded: [UInt8] {
    switch self {
    case .unsigned(let value, let type): integer(value, type)
    case .signed(let value, let type): integer(UInt64(bitPattern: value), type)
    case .float(let value, .float32): littleEndian(Float(keepingBitsOf: value).bitPattern)
    case .float(let value, _): littleEndian(value.bitPattern)
    case .bool(let value): [value ? 1 : 0]
    case .string(let value): lengthPrefixed(value.utf8)
    case .array(let array): array.encoded
    }
  }

  /// The low bytes of `value` that `type` keeps.
  private func integer(_ value: UInt64, _ type: MetadataType) -> [UInt8] {
    Array(littleEndian(value).prefix(Int(type.minimumBytes)))
  }
}

// Conversions make a signalling NaN quiet; a file that is read and written again keeps its bits.

extension Double {
  init(keepingBitsOf value: Float) {
    let bits = UInt64(value.bitPattern)
    let payload = bits & 0x7F_FFFF
    self =
      value.isNaN
      ? Double(bitPattern: (bits >> 31) << 63 | 0x7FF << 52 | payload << 29) : Double(value)
  }
}

extension Float {
  init(keepingBitsOf value: Double) {
    let payload = UInt32(truncatingIfNeeded: value.bitPattern >> 29) & 0x7F_FFFF
    let sign = UInt32(truncatingIfNeeded: value.bitPattern >> 63) << 31
    // A payload of zero would be infinity.
    self =
      value.isNaN && payload != 0 ? Float(bitPattern: sign | 0x7F80_0000 | payload) : Float(value)
  }
}

extension MetadataArray {
  /// Texts, or other bytes: a vocabulary's tokens may be parts of characters.
  public init(strings: some Sequence<some Sequence<UInt8>>) {
    var (bytes, count): ([UInt8], Int) = ([], 0)
    for string in strings {
      bytes += lengthPrefixed(string)
      count += 1
    }
    self.init(.string, count, bytes)
  }

  /// An array of strings.
  public init(strings: some Sequence<String>) { self.init(strings: strings.map(\.utf8)) }

  /// An array of int32.
  public init(integers values: some Collection<Int32>) {
    self.init(.int32, values.count, values.flatMap(littleEndian))
  }

  /// An array of float32.
  public init(floats values: some Collection<Float>) {
    self.init(.float32, values.count, values.flatMap { littleEndian($0.bitPattern) })
  }

  /// An array of bool.
  public init(bools values: some Collection<Bool>) {
    self.init(.bool, values.count, values.map { $0 ? 1 : 0 })
  }

  private init(_ elementType: MetadataType, _ count: Int, _ bytes: [UInt8]) {
    self.init(
      elementType: elementType, count: count,
      storage: MappedBytes(contents: bytes, name: "memory"), range: 0..<bytes.count)
  }

  fileprivate var encoded: [UInt8] {
    littleEndian(elementType.rawValue) + littleEndian(UInt64(count)) + storage.bytes[range]
  }
}

package func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

func lengthPrefixed(_ bytes: some Sequence<UInt8>) -> [UInt8] {
  let bytes = Array(bytes)
  return littleEndian(UInt64(bytes.count)) + bytes
}
