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

  /// Names of all fields, at any depth; of `metadata` in `inspect --json` keys are the file's own.
  private func fields(_ value: Any) -> Set<String> {
    switch value {
    case let object as [String: Any]:
      object.reduce(into: Set(object.keys)) { names, field in
        if let entries = field.value as? [String: Any], ["metadata", "tensors"].contains(field.key)
        {
          for entry in entries.values { names.formUnion(fields(entry)) }
        } else {
          names.formUnion(fields(field.value))
        }
      }
    case let items as [Any]: items.reduce(into: []) { $0.formUnion(fields($1)) }
    default: []
    }
  }

  @Test(
    "docs/inspect.md names every field of the JSON",
    arguments: [
      ["tiny-q4_k.gguf"], ["tiny-q4_k.gguf", "--check"], ["tiny-q4_k.gguf", "--stats"],
      ["tiny-q4_k.gguf", "--hash"], ["tiny-q4_k.gguf", "--diff", "tiny-q6_k.gguf"], ["real"],
    ])
  func schema(arguments: [String]) throws {
    if arguments == ["real"], !RealModel.isPresent { return }
    let words = arguments.map { word in
      word == "real" ? RealModel.path("Q4_0") : word.hasSuffix("gguf") ? Fixtures.path(word) : word
    }
    let result = try BuiltCommand.run(["inspect"] + words + ["--json"])
    let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let described = try String(
      contentsOf: Fixtures.root.appendingPathComponent("docs/inspect.md"), encoding: .utf8)
    let names = fields(value)
    #expect(names.count > 2)
    for name in names { #expect(described.contains("`\(name)`"), "\(name)") }
  }

  @Test("the real model is explained as it is", .enabled(if: RealModel.isPresent))
  func explained() throws {
    let result = try BuiltCommand.run([
      "inspect", RealModel.path("Q4_0"), "--context", "4096", "--json",
    ])
    struct Report: Decodable {
      struct Architecture: Decodable {
        let blocks: Int
        let heads: Int
        let key_value_heads: Int
        let tied_output: Bool
      }
      struct TypeShare: Decodable {
        let type: String
        let tensors: Int
        let reasons: [String]
      }
      struct TokenizerFacts: Decodable {
        let tokens: Int
        let end: Int
        let missing_bytes: [UInt8]
      }
      struct Template: Decodable { let example: String }
      struct Cost: Decodable {
        let bytes_per_token: Int
        let cache_bytes_per_position: Int
        let context: Int
      }
      struct Speed: Decodable {
        let decode_tps: Double
        let decode_tps_full: Double
      }
      let architecture: Architecture
      let types: [TypeShare]
      let tokenizer: TokenizerFacts
      let chat_template: Template
      let cost: Cost
      let speed: Speed
      let runs: Bool
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    // SmolLM2's published shape, and the bytes that the reference tokenizer drops.
    #expect(report.architecture.blocks == 30 && report.architecture.heads == 9)
    #expect(report.architecture.key_value_heads == 3 && report.architecture.tied_output)
    #expect(report.tokenizer.tokens == 49_152 && report.tokenizer.end == 2)
    #expect(
      report.tokenizer.missing_bytes
        == [0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, 0xC0, 0xC1, 0xF1, 0xF2] + Array(0xF5...0xFF))
    #expect(
      report.chat_template.example.hasSuffix(
        "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"))
    #expect(report.types.map(\.type) == ["Q4_0", "Q8_0", "F32"])
    #expect(report.types.map(\.tensors) == [210, 1, 61])
    #expect(report.types[1].reasons.first?.contains("576") == true)
    // 30 layers, 3 heads, keys of 64 values of 2 bytes, values of 1, a scale for each, and keys of 1 with two numbers.
    #expect(
      report.cost.cache_bytes_per_position == 30 * 3 * (64 * 2 + 4 + 64 + 4 + 64 + 8)
        && report.cost.context == 4096)
    let weights = 135_000_000 * 5.35 / 8
    #expect(abs(Double(report.cost.bytes_per_token) / weights - 1) < 0.01)
    #expect(report.runs && report.speed.decode_tps > report.speed.decode_tps_full)
  }

  @Test("--html writes one page that needs nothing else, in which a hostile name stays text")
  func page() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = folder.appendingPathComponent("model.gguf").path
    var writer = GGUFWriter()
    try writer.addTensor("<script>alert(1)</script>&\"", dimensions: [4], type: .f32)
    try writer.write(to: model) { _, sink in
      try [Float(1), -2, .nan, 0].withUnsafeBytes(sink)
    }
    let page = folder.appendingPathComponent("page.html").path
    let result = try BuiltCommand.run(["inspect", model, "--html", page])
    #expect(result.status == 0, "\(result)")
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;"))
    for foreign in ["<script", "http:", "https:", "src=", "url("] {
      #expect(!html.contains(foreign), "\(foreign)")
    }
    #expect(html.contains("1 NaN") && html.hasSuffix("</html>\n"))
    // A slip that would cost the model.
    let slip = try BuiltCommand.run(["inspect", model, "--html", model])
    #expect(slip.status == 1 && slip.errors.contains("GGUF file"))
    #expect(try GGUFFile(path: model).tensors.count == 1)
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
