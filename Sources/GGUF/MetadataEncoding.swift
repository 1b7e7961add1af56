/// Values as they lie in a file, little-endian (ggml `docs/gguf.md`).
extension MetadataValue {
  /// The value's bytes, without its type. A signalling NaN becomes a quiet one.
  public var encoded: [UInt8] {
    switch self {
    case .unsigned(let value, let type): integer(value, type)
    case .signed(let value, let type): integer(UInt64(bitPattern: value), type)
    case .float(let value, .float32): littleEndian(Float(value).bitPattern)
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

  public init(strings: some Sequence<String>) { self.init(strings: strings.map(\.utf8)) }

  public init(integers values: some Collection<Int32>) {
    self.init(.int32, values.count, values.flatMap(littleEndian))
  }

  public init(floats values: some Collection<Float>) {
    self.init(.float32, values.count, values.flatMap { littleEndian($0.bitPattern) })
  }

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

func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

func lengthPrefixed(_ bytes: some Sequence<UInt8>) -> [UInt8] {
  let bytes = Array(bytes)
  return littleEndian(UInt64(bytes.count)) + bytes
}
