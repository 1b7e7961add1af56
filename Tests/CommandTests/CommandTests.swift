import Foundation
import TestSupport
import Testing

/// Runs the built `swiftlet` as a user would.
@Suite struct CommandTests {
  private func swiftlet(_ arguments: String..., input: String = "") throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments, input: input)
  }

  @Test("bad input gives one clear line on standard error and a non-zero exit")
  func badInput() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ name: String, _ bytes: Data) throws -> String {
      let url = folder.appendingPathComponent(name)
      try bytes.write(to: url)
      return url.path
    }
    let whole = try Fixtures.data("tiny-q4_0.gguf")
    let cases: [(String, String)] = [
      (folder.appendingPathComponent("none.gguf").path, "No such file"),
      (folder.path, "is a directory"),
      (try file("empty.gguf", Data()), "is empty"),
      (try file("text.gguf", Data("once upon a time".utf8)), "not a GGUF file"),
      (try file("cut.gguf", whole.dropLast(1000)), "the file ends early"),
      ("smolm2-135", "nearest: smollm2-135m"),
    ]
    for (model, words) in cases {
      for command in ["run", "inspect"] {
        let result =
          command == "run" ? try swiftlet("run", "-m", model, "hi") : try swiftlet("inspect", model)
        #expect(result.status == 1, "\(command) \(model)")
        #expect(result.output.isEmpty)
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      }
    }
  }

  @Test("a prompt longer than the context is refused with both numbers")
  func longPrompt() throws {
    let result = try swiftlet(
      "run", "-m", Fixtures.path("tiny-q4_0.gguf"), "--raw", "-c", "8", "a b c d e f g h i j")
    #expect(result.status == 1)
    #expect(result.errors.contains("19 tokens") && result.errors.contains("holds 8"))
  }

  @Test("wrong usage exits with 64 and says what is allowed")
  func usage() throws {
    let result = try swiftlet("run", "--top-p", "3", "hi")
    #expect(result.status == 64)
    #expect(result.errors.contains("allowed: 0 to 1"))
    #expect(try swiftlet("frobnicate").status == 64)
  }

  @Test("the same prompt gives the same tokens on one thread and two")
  func determinism() throws {
    let model = Fixtures.path("tiny-q8_0.gguf")
    let runs = try [1, 2].map { threads in
      try swiftlet(
        "run", "-m", model, "--raw", "--temperature", "0", "-n", "20", "-t", "\(threads)", "abc")
    }
    #expect(runs.allSatisfy { $0.status == 0 && !$0.output.isEmpty })
    #expect(runs[0].output == runs[1].output)
  }

  @Test("JSON output holds the contract's fields")
  func json() throws {
    let result = try swiftlet(
      "run", "-m", Fixtures.path("tiny-q4_1.gguf"), "--raw", "--json", "--logprobs", "2", "-n", "3",
      "--temperature", "0", "abc")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(Set(object.keys) == ["text", "tokens", "prompt_tokens", "finish_reason", "timings"])
    let tokens = try #require(object["tokens"] as? [[String: Any]])
    #expect(tokens.allSatisfy { ($0["top"] as? [Any])?.count == 2 && $0["logprob"] != nil })
    #expect(
      Set((object["timings"] as? [String: Any] ?? [:]).keys)
        == ["load_ms", "first_token_ms", "prefill_tps", "decode_tps"])
  }

  @Test("standard input is appended to the prompt, and alone is the prompt")
  func pipedInput() throws {
    let model = Fixtures.path("tiny-q4_0.gguf")
    func tokens(_ arguments: [String], _ input: String) throws -> Int {
      let process = try BuiltCommand.run(
        ["run", "-m", model, "--raw", "--json", "-n", "1"] + arguments, input: input)
      let object = try JSONSerialization.jsonObject(with: Data(process.output.utf8))
      return try #require((object as? [String: Any])?["prompt_tokens"] as? Int)
    }
    #expect(try tokens(["defg"], "") == 4)
    #expect(try tokens([], "def") == 3)
    #expect(try tokens(["de"], "fgh") == 5)  // the line break between has no token here
  }

  @Test("tokenize and detokenize are each other's inverse")
  func tokenizing() throws {
    let model = Fixtures.path("tiny-q4_0.gguf")
    let ids = try swiftlet("tokenize", "-m", model, "--ids", "abc ab")
    #expect(ids.output == "40 38 39\n")
    #expect(try swiftlet("detokenize", "-m", model, input: ids.output).output == "abc ab\n")
    let lines = try swiftlet("tokenize", "-m", model, "--jsonl", input: "\"abc\"\n\"\"\n")
    #expect(lines.output == "{\"ids\":[40]}\n{\"ids\":[]}\n")
    #expect(try swiftlet("detokenize", "-m", model, input: "99").status == 1)
  }

  @Test("bench prints the contract's figures")
  func bench() throws {
    let result = try swiftlet(
      "bench", "-m", Fixtures.path("tiny-q4_0.gguf"), "-p", "16", "-n", "4", "-d", "5", "-b", "2",
      "-r", "2", "--json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    for key in [
      "prefill_tps", "decode_tps", "read_bandwidth_gbs", "bytes_per_token", "limit_fraction",
    ] {
      let value = try #require(object[key] as? Double)
      #expect(value > 0, "\(key)")
    }
    #expect((object["decode_samples"] as? [Double])?.count == 2)
    #expect(try swiftlet("bench", "-r", "0").status == 64)
  }

  @Test("logits are written whole, [tokens, vocabulary] float32")
  func logits() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let result = try swiftlet(
      "logits", "-m", Fixtures.path("tiny-q4_0.gguf"), "--ids", "2,3,4", "-o", path)
    #expect(result.status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 3 * 41 * 4)
  }

  @Test("tune measures, and what it keeps is what runs use")
  func tuning() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let variables = ["XDG_CACHE_HOME": folder.path, "HOME": folder.path]
    let model = Fixtures.path("tiny-q4_0.gguf")
    let tuned = try BuiltCommand.run(["tune", "-m", model, "-r", "1"], environment: variables)
    #expect(tuned.status == 0 && tuned.output.contains("threads, batches of"), "\(tuned)")
    let kept = try String(
      contentsOf: folder.appendingPathComponent("swiftlet/tuning.json"), encoding: .utf8)
    #expect(kept.contains("tiny-q4_0.gguf"))
    let shown = try BuiltCommand.run(
      ["models", "show", model, "--json"], environment: variables)
    let object = try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any]
    let settings = try #require(object?["settings"] as? [String: Int])
    #expect(kept.contains("\"batchSize\" : \(settings["batchSize"] ?? 0)"))
  }

  @Test("bench --kernels has a figure for every kernel")
  func kernels() throws {
    let result = try BuiltCommand.run(["bench", "--kernels", "-r", "1", "--json"])
    let entries = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    #expect(entries.count > 30)
    #expect(entries.allSatisfy { ($0["gigabytes"] as? Double ?? 0) > 0 })
    let unknown = try swiftlet("bench", "--call", "nothing=1")
    #expect(unknown.status == 1 && unknown.errors.contains("q4_0, 1 token"))
  }

  @Test("each task reads its text from where its help says, and refuses what is no text")
  func tasks() throws {
    let model = Fixtures.path("tiny-q4_0.gguf")
    for arguments in [
      ["translate", "--to", "French"], ["summarize"], ["title"], ["suggest"], ["rewrite"],
    ] {
      // The tiny model has no chat template: that is said, and nothing else.
      let result = try BuiltCommand.run(arguments + ["-m", model], input: "a text")
      #expect(result.status == 1 && result.output.isEmpty, "\(arguments)")
      #expect(result.errors.contains("tokenizer.chat_template"), "\(result.errors)")
      #expect(try BuiltCommand.run(arguments + ["-m", model]).status == 64)
    }
    #expect(
      try swiftlet("summarize", "-m", model, "/no/such/file").errors.contains("/no/such/file"))
    #expect(try swiftlet("translate", "-m", model, "--to", "French; rm", "x").status == 64)
    #expect(try swiftlet("rewrite", "-m", model, "--style", "odd", "x").status == 64)
  }
}
