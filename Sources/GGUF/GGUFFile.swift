/// A GGUF file, mapped and validated: every length and offset in it lies inside the file.
///
/// Reads versions 2 and 3, little-endian (ggml `docs/gguf.md`). Opening touches the header only.
public struct GGUFFile: Sendable {
  /// Limits that no sound model reaches and that a hostile file may not pass.
  enum Limit {
    static let keyBytes = 65_535
    static let stringBytes = 16 << 20
    static let nameBytes = 63
    static let dimensions = 4
    static let alignment: UInt64 = 1 << 20
    /// Far from where sums of sizes overflow.
    static let fileBytes = 1 << 56
  }

  /// One key and its value, in the file's order.
  public struct Entry: Sendable {
    /// The name, like "llama.context_length".
    public let key: String
    /// What it is set to.
    public let value: MetadataValue
    /// Byte offset of the value in the file.
    public let offset: Int
  }

  /// The path, or what stands for it in errors.
  public let name: String
  /// The version of the format: 2 or 3.
  public let version: UInt32
  /// The metadata, in the order of the file.
  public let entries: [Entry]
  /// The tensors, in the order of the file.
  public let tensors: [TensorDescriptor]
  /// Multiple at which tensors start, from `general.alignment` or 32.
  public let alignment: Int
  /// Where the tensors' bytes begin.
  public let dataOffset: Int
  /// Bytes after the last tensor's padded end; 0 in a sound file.
  public let trailingBytes: Int

  package let storage: MappedBytes
  private let entryIndex: [String: Int]
  private let tensorIndex: [String: Int]

  /// Bytes of the whole file.
  public var byteCount: Int { storage.fileByteCount }

  /// Whether only the beginning of the file was read, so that its tensors cannot be.
  public var isHeaderOnly: Bool { storage.bytes.count < storage.fileByteCount }

  /// Maps and checks the file at `path`.
  ///
  /// - Throws: `GGUFError` naming the field, its offset, what was found and what is allowed.
  public init(path: String) throws(GGUFError) {
    try self.init(storage: MappedBytes(path: path))
  }

  /// Checks `contents`, which are copied; `name` stands for the file in errors.
  public init(contents: some Collection<UInt8>, name: String = "memory") throws(GGUFError) {
    try self.init(storage: MappedBytes(contents: contents, name: name))
  }

  /// Checks the beginning of a file of `fileByteCount` bytes, as of one that lies on a server.
  ///
  /// - Throws: `GGUFError.Reason.truncated` where the header is longer than `header`.
  public init(header: some Collection<UInt8>, fileByteCount: Int, name: String) throws(GGUFError) {
    try self.init(
      storage: MappedBytes(contents: header, name: name, fileByteCount: fileByteCount))
  }

  private init(storage: MappedBytes) throws(GGUFError) {
    guard storage.fileByteCount <= Limit.fileBytes else {
      throw GGUFError(
        file: storage.name, field: "file size",
        reason: .invalid(
          found: "\(storage.fileByteCount) bytes", allowed: "at most \(Limit.fileBytes)"))
    }
    var cursor = ByteCursor(storage)
    let header = try Header(&cursor)

    var entries: [Entry] = []
    var entryIndex: [String: Int] = [:]
    for _ in 0..<header.entryCount {
      let entry = try Self.readEntry(&cursor, storage)
      guard entryIndex.updateValue(entries.count, forKey: entry.key) == nil else {
        throw cursor.error(
          entry.key, at: entry.offset,
          .invalid(found: "the key a second time", allowed: "each key once"))
      }
      entries.append(entry)
    }
    let alignment = try Self.alignment(entryIndex["general.alignment"].map { entries[$0] }, cursor)

    var tensors: [TensorDescriptor] = []
    var tensorIndex: [String: Int] = [:]
    // ggml demands that each tensor starts where the one before it ends, padded.
    var expectedOffset: UInt64 = 0
    for _ in 0..<header.tensorCount {
      let at = cursor.position
      let tensor = try TensorDescriptor(
        &cursor, expectedOffset: expectedOffset, alignment: alignment)
      guard tensorIndex.updateValue(tensors.count, forKey: tensor.name) == nil else {
        throw cursor.error(
          tensor.name, at: at,
          .invalid(found: "the tensor name a second time", allowed: "each name once"))
      }
      tensors.append(tensor)
      let (end, overflow) = expectedOffset.addingReportingOverflow(tensor.paddedBytes)
      guard !overflow else {
        throw cursor.error(
          tensor.name, at: at, .invalid(found: "a size beyond 64 bits", allowed: "a file size"))
      }
      expectedOffset = end
    }

    let padding = (alignment - UInt64(cursor.position) % alignment) % alignment
    var dataOffset = cursor.position
    if !tensors.isEmpty {
      _ = try cursor.skip(padding, "padding before the tensor data")
      dataOffset = cursor.position
    }
    let available = UInt64(cursor.remaining)
    for tensor in tensors {
      // The last tensor's padding may be missing; its bytes may not.
      let end = tensor.offset + tensor.unpaddedBytes
      guard end <= available else {
        throw cursor.error(
          tensor.name, at: dataOffset + Int(clamping: tensor.offset),
          .truncated(
            needed: tensor.unpaddedBytes,
            available: available > tensor.offset ? available - tensor.offset : 0))
      }
    }

    name = storage.name
    version = header.version
    self.entries = entries
    self.tensors = tensors
    self.alignment = Int(alignment)
    self.dataOffset = dataOffset
    trailingBytes = Int(clamping: available > expectedOffset ? available - expectedOffset : 0)
    self.storage = storage
    self.entryIndex = entryIndex
    self.tensorIndex = tensorIndex
  }

  /// The entry of `key`.
  public func entry(_ key: String) -> Entry? { entryIndex[key].map { entries[$0] } }

  /// The tensor called `name`.
  public func tensor(_ name: String) -> TensorDescriptor? { tensorIndex[name].map { tensors[$0] } }

  /// Where `tensor`'s bytes lie in the file.
  public func byteRange(of tensor: TensorDescriptor) -> Range<Int> {
    let start = dataOffset + Int(tensor.offset)
    return start..<start + tensor.byteCount
  }

  /// Calls `body` with the bytes of `tensor`, which are valid during the call; with none where
  /// `isHeaderOnly`.
  public func withBytes<R>(
    of tensor: TensorDescriptor, _ body: (UnsafeRawBufferPointer) throws -> R
  ) rethrows -> R {
    let range = byteRange(of: tensor)
    return try body(
      range.upperBound <= storage.bytes.count
        ? UnsafeRawBufferPointer(rebasing: storage.bytes[range])
        : UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// - Throws: `GGUFError.Reason.unreadable` where `isHeaderOnly`.
  public func requireData() throws(GGUFError) {
    if isHeaderOnly {
      throw GGUFError(
        file: name, field: "file", reason: .unreadable("only its header was read, not its tensors"))
    }
  }

  /// Brings tensors' bytes into memory, 64 KiB after the other until `isEnough`, and no more than 512 MiB: what the system
  /// has of the file is mapped, and the rest read. For a thread that has nothing else to do while a model is made ready.
  public func readAhead(until isEnough: () -> Bool) {
    let start = min(dataOffset, storage.bytes.count)
    storage.readAhead(start..<min(storage.bytes.count, start + 512 << 20), until: isEnough)
  }

  /// Gives back the memory of `tensor`'s bytes, which are read from the file again when needed.
  public func releasePages(of tensor: TensorDescriptor) {
    storage.isDone(with: byteRange(of: tensor))
  }
}

// MARK: - Header

extension GGUFFile {
  /// Magic, version and the two counts.
  private struct Header {
    let version: UInt32
    let tensorCount: UInt64
    let entryCount: UInt64

    /// The smallest entry: an empty-key length, a type and one byte; the smallest tensor: a length,
    /// a dimension count, one dimension, a type and an offset.
    private static let entryBytes: UInt64 = 13
    private static let tensorBytes: UInt64 = 32

    init(_ cursor: inout ByteCursor) throws(GGUFError) {
      let magic = Array(cursor.bytes.prefix(4))
      guard magic == Array("GGUF".utf8) else {
        throw GGUFError(
          file: cursor.file, field: "magic", offset: 0, reason: .notGGUF(Self.guess(cursor.bytes)))
      }
      _ = try cursor.skip(4, "magic")
      let at = cursor.position
      version = try cursor.integer(UInt32.self, "version")
      guard version == 2 || version == 3 else {
        let swapped = UInt32(bigEndian: UInt32(littleEndian: version))
        let found =
          swapped == 2 || swapped == 3 ? "a big-endian file (version \(swapped))" : "\(version)"
        throw cursor.error("version", at: at, .invalid(found: found, allowed: "2 or 3"))
      }
      tensorCount = try Self.count(&cursor, "tensor count", each: Self.tensorBytes)
      entryCount = try Self.count(&cursor, "metadata count", each: Self.entryBytes)
    }

    private static func count(_ cursor: inout ByteCursor, _ field: String, each: UInt64)
      throws(GGUFError) -> UInt64
    {
      let at = cursor.position
      let count = try cursor.integer(UInt64.self, field)
      let most = UInt64(cursor.remaining) / each
      guard count <= most else {
        throw cursor.error(
          field, at: at,
          .invalid(found: "\(count)", allowed: "at most \(most) in a file of this size"))
      }
      return count
    }

    /// What a file that does not start with `GGUF` looks like.
    private static func guess(_ bytes: UnsafeRawBufferPointer) -> String {
      let head = String(decoding: bytes.prefix(200), as: UTF8.self)
      let start = head.drop { $0.isWhitespace }.lowercased()
      if start.hasPrefix("<!doctype") || start.hasPrefix("<html") { return "an HTML page" }
      if start.hasPrefix("version https://git-lfs") { return "a Git LFS pointer" }
      if start.hasPrefix("{") || start.hasPrefix("[") { return "JSON text" }
      if bytes.count >= 9, bytes[8] == UInt8(ascii: "{") { return "perhaps a safetensors file" }
      if bytes.count < 4 { return "only \(bytes.count) bytes" }
      return "it starts with \"\(printable(String(head.prefix(4))))\""
    }
  }
}

// MARK: - Metadata

extension GGUFFile {
  private static func readEntry(_ cursor: inout ByteCursor, _ storage: MappedBytes)
    throws(GGUFError) -> Entry
  {
    let at = cursor.position
    let key = try cursor.text("metadata key", limit: Limit.keyBytes)
    guard !key.isEmpty else {
      throw cursor.error(
        "metadata key", at: at, .invalid(found: "an empty key", allowed: "a name"))
    }
    let type = try readType(&cursor, key)
    let offset = cursor.position
    return Entry(key: key, value: try readValue(&cursor, type, key, storage), offset: offset)
  }

  private static func readType(_ cursor: inout ByteCursor, _ key: String) throws(GGUFError)
    -> MetadataType
  {
    let at = cursor.position
    let raw = try cursor.integer(UInt32.self, key)
    guard let type = MetadataType(rawValue: raw) else {
      throw cursor.error(key, at: at, .invalid(found: "value type \(raw)", allowed: "0 to 12"))
    }
    return type
  }

  private static func readValue(
    _ cursor: inout ByteCursor, _ type: MetadataType, _ key: String, _ storage: MappedBytes
  ) throws(GGUFError) -> MetadataValue {
    switch type {
    case .uint8: return .unsigned(UInt64(try cursor.integer(UInt8.self, key)), type)
    case .uint16: return .unsigned(UInt64(try cursor.integer(UInt16.self, key)), type)
    case .uint32: return .unsigned(UInt64(try cursor.integer(UInt32.self, key)), type)
    case .uint64: return .unsigned(try cursor.integer(UInt64.self, key), type)
    case .int8: return .signed(Int64(try cursor.integer(Int8.self, key)), type)
    case .int16: return .signed(Int64(try cursor.integer(Int16.self, key)), type)
    case .int32: return .signed(Int64(try cursor.integer(Int32.self, key)), type)
    case .int64: return .signed(try cursor.integer(Int64.self, key), type)
    case .float32:
      return .float(
        Double(keepingBitsOf: Float(bitPattern: try cursor.integer(UInt32.self, key))), type)
    case .float64: return .float(Double(bitPattern: try cursor.integer(UInt64.self, key)), type)
    case .bool: return .bool(try readBool(&cursor, key))
    case .string: return .string(try cursor.text(key, limit: Limit.stringBytes, allowsNUL: true))
    case .array: return .array(try readArray(&cursor, key, storage))
    }
  }

  private static func readBool(_ cursor: inout ByteCursor, _ key: String) throws(GGUFError) -> Bool
  {
    let at = cursor.position
    let byte = try cursor.integer(UInt8.self, key)
    guard byte <= 1 else {
      throw cursor.error(key, at: at, .invalid(found: "bool \(byte)", allowed: "0 or 1"))
    }
    return byte == 1
  }

  private static func readArray(
    _ cursor: inout ByteCursor, _ key: String, _ storage: MappedBytes
  ) throws(GGUFError) -> MetadataArray {
    let at = cursor.position
    let elementType = try readType(&cursor, key)
    guard elementType != .array else {
      throw cursor.error(
        key, at: at, .invalid(found: "an array of arrays", allowed: "arrays of plain values"))
    }
    let countAt = cursor.position
    let count = try cursor.integer(UInt64.self, key)
    let most = UInt64(cursor.remaining) / elementType.minimumBytes
    guard count <= most else {
      throw cursor.error(
        key, at: countAt,
        .invalid(found: "\(count) elements", allowed: "at most \(most) in a file of this size"))
    }
    let start = cursor.position
    switch elementType {
    case .string:
      for _ in 0..<count { _ = try cursor.stringRange(key, limit: Limit.stringBytes) }
    case .bool:
      for _ in 0..<count { _ = try readBool(&cursor, key) }
    default:
      _ = try cursor.skip(count * elementType.minimumBytes, key)
    }
    return MetadataArray(
      elementType: elementType, count: Int(count), storage: storage, range: start..<cursor.position)
  }

  private static func alignment(_ entry: Entry?, _ cursor: ByteCursor) throws(GGUFError) -> UInt64 {
    guard let entry else { return 32 }
    guard case .unsigned(let value, .uint32) = entry.value else {
      throw cursor.error(
        entry.key, at: entry.offset,
        .invalid(found: "a value of type \(entry.value.type)", allowed: "uint32"))
    }
    guard value >= 8, value <= Limit.alignment, value & (value - 1) == 0 else {
      throw cursor.error(
        entry.key, at: entry.offset,
        .invalid(found: "\(value)", allowed: "a power of two from 8 to \(Limit.alignment)"))
    }
    return value
  }
}
