import Foundation
import TestSupport
import Testing

/// A Python that has huggingface_hub.
private let hubPython = ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"]

/// The same cache, from here and from Python's huggingface_hub (`scripts/python` installs it).
@Suite(.enabled(if: hubPython != nil)) struct HubInteropTests {
  private let hub: LoopbackHub
  private let content = LoopbackHub.content(500_000)

  init() throws {
    hub = try LoopbackHub([
      "owner/model-GGUF/model-Q4_0.gguf": content,
      "owner/model-GGUF/more/model-Q8_0.gguf": LoopbackHub.content(400_000, seed: 5),
    ])
  }

  private func python(_ program: String, offline: Bool = false) throws -> BuiltCommand.Result {
    var variables = hub.variables
    variables["HF_HUB_DISABLE_XET"] = "1"
    variables["HF_HUB_OFFLINE"] = offline ? "1" : nil
    return try BuiltCommand.runProgram(
      try #require(hubPython), ["-c", "import huggingface_hub as h\n" + program],
      environment: variables)
  }

  @Test("what is pulled here, Python finds offline, and it finds nothing wrong with the cache")
  func pulledHere() throws {
    for model in ["hf:owner/model-GGUF:Q4_0", "hf:owner/model-GGUF/more/model-Q8_0.gguf"] {
      let result = try BuiltCommand.run(["models", "pull", model], environment: hub.variables)
      #expect(result.status == 0, "\(result.errors)")
    }
    let found = try python(
      """
      for name in ["model-Q4_0.gguf", "more/model-Q8_0.gguf"]:
          print(len(open(h.hf_hub_download("owner/model-GGUF", name), "rb").read()))
      cache = h.scan_cache_dir()
      print(len(cache.warnings), [(r.repo_id, r.nb_files, r.size_on_disk) for r in cache.repos])
      """, offline: true)
    #expect(
      found.output == "500000\n400000\n0 [('owner/model-GGUF', 2, 900000)]\n", "\(found.errors)")
  }

  @Test("what Python pulled is used here without a transfer")
  func pulledByPython() throws {
    let pulled = try python("print(h.hf_hub_download('owner/model-GGUF', 'model-Q4_0.gguf'))")
    #expect(pulled.status == 0, "\(pulled.errors)")
    hub.forgetRequests()
    let path = try BuiltCommand.run(
      ["models", "path", "hf:owner/model-GGUF:Q4_0"], environment: hub.variables)
    #expect(path.output == pulled.output)
    let verified = try BuiltCommand.run(["models", "verify"], environment: hub.variables)
    #expect(verified.status == 0 && verified.output.contains("as it has to be"))
    #expect(hub.requests.isEmpty)
    // A pull of the branch asks what it means, and has the bytes already.
    let pull = try BuiltCommand.run(
      ["models", "pull", "hf:owner/model-GGUF:Q4_0"], environment: hub.variables)
    #expect(pull.output == pulled.output)
    #expect(hub.fileRequests.isEmpty)
  }

  @Test("what is removed here leaves a cache that Python calls sound")
  func removedHere() throws {
    for command in ["pull", "rm"] {
      let result = try BuiltCommand.run(
        ["models", command, "hf:owner/model-GGUF:Q4_0"], environment: hub.variables)
      #expect(result.status == 0, "\(result.errors)")
    }
    let found = try python("print(h.scan_cache_dir().warnings)", offline: true)
    #expect(found.output == "[]\n", "\(found.errors)")
  }
}
