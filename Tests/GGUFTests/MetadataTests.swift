import Foundation
import TestSupport
import Testing

@testable import GGUF

/// What metadata and tensor types say of themselves, of each kind and at the edges.
@Suite struct MetadataTests {
  /// A file with one array whose elements have the bytes of `words`.
  private func array(_ type: MetadataType, _ bytes: [UInt8], count: Int) throws -> MetadataArray {
    var contents = Array("GGUF".utf8) + littleEndian(UInt32(3))
    contents += littleEndian(UInt64(0)) + littleEndian(UInt64(1))
    contents += lengthPrefixed("a".utf8) + littleEndian(MetadataType.array.rawValue)
    contents += littleEndian(type.rawValue) + littleEndian(UInt64(count)) + bytes
    let file = try GGUFFile(contents: contents)
    guard case .array(let array)? = file.entry("a")?.value else {
      throw GGUFError(file: "memory", field: "a", reason: .missing)
    }
    return array
  }

  @Test("arrays of every type are read as what they are, and as nothing else")
  func arrays() throws {
    let ones = [UInt8](repeating: 0xFF, count: 16)
    for (type, size, expected) in [
      (MetadataType.uint8, 1, Int64(255)), (.int8, 1, -1), (.uint16, 2, 65_535), (.int16, 2, -1),
      (.uint32, 4, 4_294_967_295), (.int32, 4, -1), (.int64, 8, -1),
    ] {
      let array = try array(type, Array(ones.prefix(2 * size)), count: 2)
      #expect(array.integers() == [expected, expected], "\(type)")
      #expect(array.floats() == nil && array.bools() == nil && array.string(at: 0) == nil)
      #expect(!array.forEachString { _, _ in })
      #expect(array.byteCount == 2 * size)
    }
    #expect(try array(.uint64, littleEndian(UInt64(7)), count: 1).integers() == [7])
    // More than an Int64 holds.
    #expect(try array(.uint64, ones, count: 2).integers() == nil)
    let half = littleEndian(Float(0.5).bitPattern)
    #expect(try array(.float32, half, count: 1).floats() == [0.5])
    #expect(try array(.float64, littleEndian(Double(-2).bitPattern), count: 1).floats() == [-2])
    #expect(try array(.float32, half, count: 1).integers() == nil)
    #expect(try array(.bool, [0, 1], count: 2).bools() == [false, true])
    #expect(throws: GGUFError.self) { try array(.bool, [0, 2], count: 2) }
    let texts = try array(.string, lengthPrefixed("é".utf8) + lengthPrefixed("".utf8), count: 2)
    #expect(texts.string(at: 0) == "é" && texts.string(at: 1)?.isEmpty == true)
    #expect(texts.string(at: 2) == nil)
    #expect(throws: GGUFError.self) { try array(.array, ones, count: 1) }
    for type in MetadataType.allCases { #expect(type.minimumBytes > 0) }
  }

  @Test("numbers are read and written bit by bit, signalling NaN too")
  func bits() throws {
    for pattern in [UInt32(0x7F80_0001), 0xFFC0_1234, 0x7F80_0000, 0x8000_0000, 1] {
      let bytes =
        Array("GGUF".utf8) + littleEndian(UInt32(3))
        + littleEndian(UInt64(0)) + littleEndian(UInt64(1)) + lengthPrefixed("f".utf8)
        + littleEndian(MetadataType.float32.rawValue) + littleEndian(pattern)
      let written = GGUFWriter(metadataOf: try GGUFFile(contents: bytes)).header()
      #expect(written == bytes, "\(String(pattern, radix: 16))")
    }
  }

  @Test("types that ggml does not define have a name and no size")
  func unknownType() {
    let type = TensorType(rawValue: 77)
    #expect(type.name == "type 77" && "\(type)" == "type 77" && !type.isKnown)
    #expect(type.blockValues == 0 && type.blockBytes == 0 && type.bitsPerWeight == 0)
    #expect(TensorType.q4_0.bitsPerWeight == 4.5)
  }

  @Test("a header alone says so, and a file beyond all sizes is refused")
  func headerAlone() throws {
    let bytes = [UInt8](try Fixtures.data("tiny-f32.gguf"))
    let whole = try GGUFFile(contents: bytes)
    let header = try GGUFFile(
      header: bytes[..<whole.dataOffset], fileByteCount: bytes.count, name: "far")
    #expect(header.isHeaderOnly && header.byteCount == bytes.count)
    #expect(throws: GGUFError.self) { try header.requireData() }
    header.withBytes(of: header.tensors[0]) { #expect($0.isEmpty) }
    header.releasePages(of: header.tensors[0])
    #expect(throws: GGUFError.self) {
      try GGUFFile(header: bytes, fileByteCount: 1 << 56 + 1, name: "far")
    }
  }

  @Test("typed reading refuses what is of another type, and shows it")
  func typedReading() throws {
    var writer = GGUFWriter()
    try writer.set("integer", .signed(-3, .int32))
    try writer.set("flag", .bool(true))
    try writer.set("text", .string(String(repeating: "long ", count: 50)))
    try writer.set("texts", .array(MetadataArray(strings: ["a"])))
    let reader = MetadataReader(try GGUFFile(contents: writer.header()))
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "nothing was thrown"
    }
    #expect(message { _ = try reader.integer("integer", in: 0...9) }.contains("-3"))
    #expect(message { _ = try reader.integer("flag", in: 0...9) }.contains("true"))
    // Cut short: a message is a line.
    #expect(message { _ = try reader.bool("text") }.contains("…"))
    #expect(message { _ = try reader.string("texts") }.contains("1 x string"))
    #expect(message { _ = try reader.strings("text") }.contains("an array of strings"))
    #expect(message { _ = try reader.integers("texts", count: 1) }.contains("int32"))
    #expect(message { try reader.requireFloats("texts", count: 1) }.contains("float32"))
    #expect(message { try reader.requireFloats("flag", count: 1) }.contains("float32"))
    #expect(message { try reader.requireFloats("none", count: 1) } == "nothing was thrown")
    #expect(message { _ = try reader.requiredString("none") }.contains("missing"))
  }

  @Test("a tensor too large for any file is not written, and one without values gives nothing back")
  func sizes() throws {
    var writer = GGUFWriter()
    try writer.addTensor("large", dimensions: [1 << 60], type: .f32)
    #expect(throws: GGUFError.self) {
      try writer.addTensor("larger", dimensions: [1 << 60], type: .f32)
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("empty.gguf").path
    var empty = GGUFWriter()
    try empty.addTensor("none", dimensions: [0, 4], type: .f32)
    try empty.write(to: path) { _, _ in }
    let file = try GGUFFile(path: path)
    #expect(file.tensors[0].valueCount == 0 && file.tensors[0].columns == 0)
    file.releasePages(of: file.tensors[0])
  }

  @Test("an output file that cannot have its name is an error, and leaves nothing")
  func outputFiles() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(throws: GGUFError.self) { try OutputFile(path: "") }
    let link = folder.appendingPathComponent("link").path
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: folder.appendingPathComponent("nowhere").path)
    #expect(throws: GGUFError.self) { try OutputFile(path: link) }
    let taken = folder.appendingPathComponent("taken")
    do {
      let output = try OutputFile(path: taken.path)
      try output.write([1, 2, 3])
      // Meanwhile something else took the name.
      try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
      #expect(throws: GGUFError.self) { try output.publish() }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(left) == ["link", "taken"])
  }
}
