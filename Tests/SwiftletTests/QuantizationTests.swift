import Crypto
import Foundation
import Swiftlet
import TestSupport
import Testing

@Suite struct QuantizationTests {
  private struct Golden: Decodable {
    let matrices: Int
    let sha256: [String: String]
  }

  @Test(
    "every matrix of the real model becomes gguf-py's bytes in each type that it writes",
    .enabled(if: RealModel.isPresent))
  func realModel() throws {
    let golden = try Fixtures.decode(Golden.self, "quantized.json")
    let file = try GGUFFile(path: RealModel.path("Q4_1"))
    let matrices = file.tensors.filter { $0.dimensions.count == 2 }
    #expect(matrices.count == golden.matrices)
    let team = ComputeTeam(threads: 2)
    for (name, expected) in golden.sha256 {
      let type = try #require(TensorType.writable.first { $0.name == name })
      var hash = SHA256()
      for tensor in matrices {
        let values = try TensorValues(tensor, in: file)
        hash.update(data: try values.quantize(0..<tensor.rows, to: type, team: team))
      }
      #expect(hash.finalize().map { String(format: "%02x", $0) }.joined() == expected, "\(name)")
    }
  }

  @Test(
    "quantize writes the file that gguf-py does, byte for byte", .enabled(if: RealModel.isPresent))
  func wholeFile() throws {
    let output = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: output) }
    let result = try BuiltCommand.run(["quantize", RealModel.path("Q4_1"), output, "q4_0"])
    #expect(result.status == 0 && result.output.contains("Q4_0   210 tensors"), "\(result)")
    #expect(result.errors.contains("holds Q4_1 already"))
    #expect(FileManager.default.contentsEqual(atPath: output, andPath: RealModel.path("Q4_0")))
  }

  @Test("the output head and rows that fit no block follow llama-quantize's rules")
  func rules() throws {
    func types(_ name: String, _ type: TensorType, pure: Bool = false) throws -> [String: String] {
      var options = Quantization.Options()
      options.isPure = pure
      let plan = try Quantization(
        try GGUFFile(path: Fixtures.path(name)), to: type, options: options)
      return Dictionary(uniqueKeysWithValues: plan.steps.map { ($0.source.name, $0.type.name) })
    }
    // Rows of 256, tied: the embedding is the head.
    var found = try types("tiny-q8_0.gguf", .q4_0)
    #expect(found["token_embd.weight"] == "Q6_K" && found["blk.0.attn_q.weight"] == "Q4_0")
    #expect(found["blk.0.attn_norm.weight"] == "F32" && found["output_norm.weight"] == "F32")
    // Rows of 256, a head of its own.
    found = try types("tiny-q4_1.gguf", .q5_1)
    #expect(found["token_embd.weight"] == "Q5_1" && found["output.weight"] == "Q6_K")
    #expect(try types("tiny-q4_1.gguf", .q5_1, pure: true)["output.weight"] == "Q5_1")
    // Rows of 128.
    found = try types("tiny-f32.gguf", .q6_K)
    #expect(found["blk.0.attn_q.weight"] == "Q8_0" && found["token_embd.weight"] == "Q8_0")
    found = try types("tiny-f32.gguf", .bf16)
    #expect(found["token_embd.weight"] == "BF16")
    #expect(throws: GGUFError.self) { try types("tiny-f32.gguf", .q4_K) }
  }

  @Test("a NaN weight, the input as output and an unknown type are refused; nothing is left behind")
  func refusals() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appendingPathComponent("in.gguf").path
    let output = folder.appendingPathComponent("out.gguf").path
    var bytes = try Fixtures.data("tiny-f32.gguf")
    let file = try GGUFFile(contents: bytes)
    let tensor = try #require(file.tensor("blk.0.attn_q.weight"))
    let place = file.byteRange(of: tensor).lowerBound + 3 * 128 * 4
    bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0xC0, 0x7F])
    try bytes.write(to: URL(fileURLWithPath: input))
    func quantize(_ output: String, _ type: String) throws -> BuiltCommand.Result {
      try BuiltCommand.run(["quantize", input, output, type])
    }
    let nan = try quantize(output, "q4_0")
    #expect(nan.status == 1 && nan.errors.contains("blk.0.attn_q.weight"), "\(nan)")
    #expect(nan.errors.contains("row 3"))
    let same = try quantize(input, "q4_0")
    #expect(same.status == 1 && same.errors.contains("is the input"))
    #expect(try quantize(output, "q2_k").status == 64)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["in.gguf"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: input)) == bytes)
  }
}
