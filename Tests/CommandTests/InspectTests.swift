import Foundation
import GGUF
import TestSupport
import Testing

/// What `inspect` says of a file beyond its header.
@Suite struct InspectTests {
  @Test("--diff names keys and tensors that differ, with the error; the same file does not differ")
  func diff() throws {
    let path = Fixtures.path("tiny-f32.gguf")
    let output = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString + ".gguf").path
    defer { try? FileManager.default.removeItem(atPath: output) }
    #expect(try BuiltCommand.run(["quantize", path, output, "q8_0"]).status == 0)
    let same = try BuiltCommand.run(["inspect", path, "--diff", path])
    #expect(same.status == 0 && same.output.contains("the same metadata"), "\(same)")
    let differs = try BuiltCommand.run(["inspect", path, "--diff", output, "--json"])
    #expect(differs.status == 1, "\(differs)")
    struct Report: Decodable {
      struct Key: Decodable { let key: String }
      struct Tensor: Decodable {
        let name: String
        let relative_error: Double?
      }
      let metadata: [Key]
      let tensors: [Tensor]
      let same_tensors: Int
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(differs.output.utf8))
    #expect(
      Set(report.metadata.map(\.key)) == ["general.file_type", "general.quantization_version"])
    // All but the norms; int8 with a scale for 32 normal values loses about 3e-5 of their square.
    #expect(report.tensors.count == 8 && report.same_tensors == 3)
    #expect(report.tensors.allSatisfy { (1e-6...1e-4).contains($0.relative_error ?? 1) })
  }

  @Test("--stats says what each tensor is like; of a damaged one too")
  func stats() throws {
    let result = try BuiltCommand.run(["inspect", Fixtures.path("tiny-q6_k.gguf"), "--stats"])
    let tensors = try GGUFFile(path: Fixtures.path("tiny-q6_k.gguf")).tensors.count
    #expect(result.status == 0)
    #expect(result.output.split(separator: "\n").count == tensors + 1)
  }

  @Test("--hash prints what sha256sum does, of the file and of each tensor's bytes")
  func hashes() throws {
    let path = Fixtures.path("tiny-q4_0.gguf")
    let result = try BuiltCommand.run(["inspect", path, "--hash"])
    let lines = result.output.split(separator: "\n")
    let tool = try BuiltCommand.runProgram("/usr/bin/env", ["sha256sum", path])
    #expect(lines.first.map(String.init) == tool.output.trimmingCharacters(in: .newlines))
    let file = try GGUFFile(path: path)
    #expect(lines.count == 1 + file.tensors.count)
    let tensor = try #require(file.tensor("output_norm.weight"))
    let bytes = file.withBytes(of: tensor) { Data($0) }
    let copy = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: copy) }
    try bytes.write(to: copy)
    let expected = try BuiltCommand.runProgram("/usr/bin/env", ["sha256sum", copy.path])
    #expect(lines.contains { $0 == expected.output.prefix(64) + "  output_norm.weight" })
  }
}
