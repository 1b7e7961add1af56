import Foundation
import GGUF
import TestSupport
import Testing

@Suite struct WriterTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent(UUID().uuidString)

  private func path(_ name: String) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.appendingPathComponent(name).path
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test("a file that is read and written again keeps every byte")
  func roundTrip() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let real = RealModel.isPresent ? [RealModel.path("Q4_0")] : []
    for source in Fixtures.tinyTypes.map({ Fixtures.path("tiny-\($0).gguf") }) + real {
      let file = try GGUFFile(path: source)
      var writer = GGUFWriter(metadataOf: file)
      for tensor in file.tensors {
        try writer.addTensor(tensor.name, dimensions: tensor.dimensions, type: tensor.type)
      }
      let copy = try path("copy.gguf")
      try writer.write(to: copy) { tensor, sink in
        let source = try #require(file.tensor(tensor.name))
        try file.withBytes(of: source, sink)
      }
      #expect(try bytes(copy) == bytes(source), "\(source)")
    }
  }

  @Test("every kind of value is read back as it was written")
  func values() throws {
    let values: [(String, MetadataValue)] = [
      ("a", .unsigned(255, .uint8)), ("b", .signed(-128, .int8)), ("c", .unsigned(65_535, .uint16)),
      ("d", .signed(-32_768, .int16)), ("e", .unsigned(1 << 31, .uint32)),
      ("f", .signed(-1 << 31, .int32)), ("g", .unsigned(.max, .uint64)),
      ("h", .signed(.min, .int64)), ("i", .float(0.1, .float64)), ("j", .float(0.5, .float32)),
      ("k", .bool(true)), ("l", .string("é\n")),
      ("m", .array(MetadataArray(strings: ["x", "", "é"]))),
      ("n", .array(MetadataArray(integers: [1, -2]))),
      ("o", .array(MetadataArray(floats: [0.5, -2]))),
      ("p", .array(MetadataArray(bools: [true, false]))),
      ("general.alignment", .unsigned(64, .uint32)),
    ]
    var writer = GGUFWriter()
    for (key, value) in values { try writer.set(key, value) }
    try writer.addTensor("t", dimensions: [32, 2], type: .q8_0)
    let header = writer.header()
    #expect(header.count % 64 == 0)
    let file = try GGUFFile(contents: header + [UInt8](repeating: 0, count: 2 * 34))
    #expect(file.entries.map(\.key) == values.map(\.0))
    #expect(file.entries.map(\.value.encoded) == values.map(\.1.encoded))
    #expect(file.entries.map(\.value.type) == values.map(\.1.type))
    #expect(file.tensors[0].dimensions == [32, 2])
    guard case .array(let strings)? = file.entry("m")?.value else { throw CancellationError() }
    var texts: [String] = []
    strings.forEachString { texts.append(String(decoding: $1, as: UTF8.self)) }
    #expect(texts == ["x", "", "é"])
  }

  @Test("a value can be replaced and removed; what a reader would refuse is refused")
  func rules() throws {
    var writer = GGUFWriter()
    try writer.set("a", .bool(true))
    try writer.set("b", .bool(true))
    try writer.set("a", .bool(false))
    writer.remove("b")
    writer.remove("none")
    let file = try GGUFFile(contents: writer.header())
    #expect(file.entries.map(\.key) == ["a"])
    #expect(try MetadataReader(file).bool("a") == false)

    #expect(throws: GGUFError.self) { try writer.set("", .bool(true)) }
    #expect(throws: GGUFError.self) { try writer.set("a\0", .bool(true)) }
    #expect(throws: GGUFError.self) {
      try writer.set("general.alignment", .unsigned(13, .uint32))
    }
    try writer.addTensor("t", dimensions: [4], type: .f32)
    for (name, dimensions, type) in [
      ("t", [4], TensorType.f32), ("", [4], .f32), ("u", [], .f32), ("u", [1, 1, 1, 1, 1], .f32),
      ("u", [33], .q4_0), ("u", [-1], .f32), ("u", [4], TensorType(rawValue: 4)),
      ("u", [1 << 32, 1 << 32], .f32), ("u", [1 << 61], .f32),
      (String(repeating: "n", count: 64), [4], .f32),
    ] {
      #expect(throws: GGUFError.self, "\(name) \(dimensions) \(type)") {
        try writer.addTensor(name, dimensions: dimensions, type: type)
      }
    }
  }

  @Test("a write that fails leaves what was there, and nothing beside it")
  func atomicity() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let target = try path("model.gguf")
    try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
    let link = try path("link.gguf")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    var writer = GGUFWriter()
    try writer.addTensor("t", dimensions: [4], type: .f32)
    for count in [15, 17] {
      #expect(throws: GGUFError.self) {
        try writer.write(to: link) { _, sink in
          try [UInt8](repeating: 1, count: count).withUnsafeBytes(sink)
        }
      }
    }
    #expect(throws: CancellationError.self) {
      try writer.write(to: target) { _, _ in throw CancellationError() }
    }
    #expect(try bytes(target) == Data("precious".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)

    try writer.write(to: link) { _, sink in
      try [UInt8](repeating: 1, count: 16).withUnsafeBytes(sink)
    }
    #expect(try GGUFFile(path: target).tensors.count == 1)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
    for place in ["/dev/null", folder.path, "/no/such/folder/file.gguf"] {
      #expect(throws: GGUFError.self) { try writer.write(to: place) { _, _ in } }
    }
  }
}
