/// Writes GGUF files, version 3, little-endian (ggml `docs/gguf.md`).
///
/// What it writes `GGUFFile` reads back: the same entries in the same order, the same tensors. A version
/// 3 file without trailing bytes that is read and written again keeps every byte.
///
/// ```swift
/// var writer = GGUFWriter()
/// try writer.set("general.architecture", .string("llama"))
/// try writer.addTensor("token_embd.weight", dimensions: [576, 49152], type: .f32)
/// try writer.write(to: "model.gguf") { tensor, sink in try sink(bytes(tensor.name)) }
/// ```
public struct GGUFWriter: Sendable {
  /// A tensor to be written.
  public struct Tensor: Sendable {
    /// The name, up to 64 bytes of UTF-8.
    public let name: String
    /// The fastest-running dimension (the row length) first.
    public let dimensions: [Int]
    /// The element type.
    public let type: TensorType
    /// Bytes that `write` wants for it.
    public let byteCount: Int
  }

  /// Takes the bytes of a tensor, in order, in as many parts as one likes.
  public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  /// The tensors, in the order in which they will be written.
  public private(set) var tensors: [Tensor] = []
  private var entries: [(key: String, value: MetadataValue)] = []
  private var index: [String: Int] = [:]
  private var mostDataBytes = 0

  /// A file without metadata and tensors.
  public init() {}

  /// With the metadata of `file`, and none of its tensors.
  public init(metadataOf file: GGUFFile) {
    for entry in file.entries { append(entry.key, entry.value) }
  }

  /// Gives `key` a value, in the place of the one that it has.
  ///
  /// - Throws: `GGUFError` where a reader would refuse the entry: an empty key or one beyond 65,535
  ///   bytes, NUL in key or text, a text beyond 16 MiB, an alignment that is none.
  public mutating func set(_ key: String, _ value: MetadataValue) throws(GGUFError) {
    // The reader's own rules, on a file of this entry alone.
    var alone = GGUFWriter()
    alone.append(key, value)
    _ = try GGUFFile(contents: alone.header(), name: "a file to be written")
    append(key, value)
  }

  /// Removes `key`, if it is there.
  public mutating func remove(_ key: String) {
    guard index[key] != nil else { return }
    let left = entries.filter { $0.key != key }
    entries = []
    index = [:]
    for entry in left { append(entry.key, entry.value) }
  }

  private mutating func append(_ key: String, _ value: MetadataValue) {
    if let place = index[key] {
      entries[place].value = value
    } else {
      index[key] = entries.count
      entries.append((key, value))
    }
  }

  /// Adds a tensor after those that there are.
  ///
  /// - Throws: `GGUFError` where a reader would refuse it: a name that is empty, taken, or beyond 63
  ///   bytes, none or more than 4 dimensions, rows that are no multiple of the type's block, a type
  ///   that ggml does not define, a size beyond 2^63.
  public mutating func addTensor(_ name: String, dimensions: [Int], type: TensorType)
    throws(GGUFError)
  {
    func refuse(_ found: String, _ allowed: String) -> GGUFError {
      GGUFError(
        file: "a file to be written", field: "tensor \(name)",
        reason: .invalid(found: found, allowed: allowed))
    }
    guard !tensors.contains(where: { $0.name == name }) else {
      throw refuse("the tensor name a second time", "each name once")
    }
    guard dimensions.allSatisfy({ $0 >= 0 }) else {
      throw refuse("shape \(dimensions)", "dimensions of 0 and more")
    }
    // The reader's own rules, on this tensor alone.
    let descriptor = try TensorDescriptor(
      checking: Self.description(name, dimensions, type, offset: 0), file: "a file to be written")
    // With the widest padding there is, so that no later sum can overflow.
    let widest = descriptor.byteCount.addingReportingOverflow(Int(GGUFFile.Limit.alignment))
    let sum = mostDataBytes.addingReportingOverflow(widest.partialValue)
    guard !widest.overflow, !sum.overflow else {
      throw refuse("a sum of sizes beyond 2^63 bytes", "a file size")
    }
    mostDataBytes = sum.partialValue
    tensors.append(
      Tensor(name: name, dimensions: dimensions, type: type, byteCount: descriptor.byteCount))
  }

  /// Multiple at which tensors start: `general.alignment` or 32.
  public var alignment: Int {
    guard let place = index["general.alignment"],
      case .unsigned(let value, _) = entries[place].value
    else { return 32 }
    return Int(value)
  }

  /// The file up to where the tensors' bytes begin.
  public func header() -> [UInt8] {
    var bytes = Array("GGUF".utf8) + littleEndian(UInt32(3))
    bytes += littleEndian(UInt64(tensors.count)) + littleEndian(UInt64(entries.count))
    for (key, value) in entries {
      bytes += lengthPrefixed(key.utf8) + littleEndian(value.type.rawValue) + value.encoded
    }
    var offset = 0
    for tensor in tensors {
      bytes += Self.description(tensor.name, tensor.dimensions, tensor.type, offset: offset)
      offset += padded(tensor.byteCount)
    }
    if !tensors.isEmpty {
      bytes += [UInt8](repeating: 0, count: padded(bytes.count) - bytes.count)
    }
    return bytes
  }

  private func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  private static func description(
    _ name: String, _ dimensions: [Int], _ type: TensorType, offset: Int
  ) -> [UInt8] {
    lengthPrefixed(name.utf8) + littleEndian(UInt32(dimensions.count))
      + dimensions.flatMap { littleEndian(UInt64($0)) } + littleEndian(type.rawValue)
      + littleEndian(UInt64(offset))
  }

  /// Writes the file. It appears at `path` once it is whole; until then, and where anything fails, what
  /// was there stays.
  ///
  /// - Parameters:
  ///   - path: where the file shall be.
  ///   - data: called for each tensor in order; gives its bytes to the sink.
  /// - Throws: `GGUFError.Reason.unwritable`; `.invalid` where a tensor gets too few or too many bytes;
  ///   what `data` throws.
  public func write(to path: String, data: (Tensor, Sink) throws -> Void) throws {
    let output = try OutputFile(path: path)
    try output.write(header())
    for tensor in tensors {
      var count = 0
      try data(tensor) { bytes in
        count += bytes.count
        if count <= tensor.byteCount { try output.write(bytes) }
      }
      guard count == tensor.byteCount else {
        throw GGUFError(
          file: path, field: "tensor \(tensor.name)",
          reason: .invalid(found: "\(count) bytes", allowed: "\(tensor.byteCount) bytes"))
      }
      try output.write(repeatElement(0, count: padded(count) - count))
    }
    try output.publish()
  }
}
