import Foundation
import TestSupport
import Testing

@testable import ModelHub

@Suite struct ConfigurationTests {
  /// Loads a configuration file of this text.
  private func load(_ text: String?, _ variables: [String: String] = [:]) throws -> Configuration {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    if let text { try text.write(toFile: path, atomically: true, encoding: .utf8) }
    var all = ["HOME": "/nowhere", "SWIFTLET_CONFIG": path]
    all.merge(variables) { $1 }
    return try Configuration.load(HubEnvironment(all))
  }

  private let example = """
    {
      "provider": {
        "apiHost": "https://mirror.example/",
        "models": [
          { "id": "me/mine", "name": "Mine", "group": "Own" }
        ]
      },
      "performanceSettings": {
        "HuggingFaceTB/SmolLM2-135M-Instruct": { "threads": 2 },
        "me/mine": { "batchSize": 64, "gpuLayers": 4 }
      },
      "downloadURLs": { "me/mine": "hf:me/mine-GGUF:Q8_0@v1" },
      "defaultModel": "me/mine"
    }
    """

  @Test("without a file everything is built in")
  func builtIn() throws {
    let configuration = try load(nil)
    #expect(configuration.provider == ProviderConfiguration())
    #expect(configuration.origin(of: "defaultModel") == .builtIn)
    #expect(try load("{}").provider == ProviderConfiguration())
  }

  @Test(
    "a file adds models and changes settings, addresses and the default; each value knows its line")
  func file() throws {
    let configuration = try load(example)
    let provider = configuration.provider
    #expect(provider.provider.models.map(\.id).last == "me/mine")
    #expect(provider.provider.models.count == 3)
    #expect(provider.defaultModel == "me/mine")
    #expect(
      provider.settings(of: "HuggingFaceTB/SmolLM2-135M-Instruct")
        == PerformanceSettings(threads: 2))
    #expect(provider.settings(of: "me/mine") == PerformanceSettings(gpuLayers: 4, batchSize: 64))
    #expect(configuration.environment.endpoint == "https://mirror.example")
    #expect(
      provider.downloadURLs["HuggingFaceTB/SmolLM2-135M-Instruct"]?
        .hasPrefix("https://mirror.example/bartowski/") == true)
    for (key, line) in [
      ("provider.apiHost", 3), ("provider.models.me/mine", 5), ("defaultModel", 13),
      ("performanceSettings.HuggingFaceTB/SmolLM2-135M-Instruct.threads", 9),
      ("performanceSettings.me/mine.gpuLayers", 10), ("downloadURLs.me/mine", 12),
    ] { #expect(configuration.origin(of: key) == .file(line: line), "\(key)") }
    let library = ModelLibrary(configuration)
    #expect(
      try library.source(of: "ME/mine").place
        == .repository(try RepositoryReference("me/mine-GGUF:Q8_0@v1")))
    // A catalogue model keeps its pinned file, from the mirror.
    #expect(try library.source(of: "smollm2-135m").place == .pinned(Catalogue.entries[0].file))
  }

  @Test("variables override the file, and are named as the origin")
  func variables() throws {
    let configuration = try load(
      example,
      [
        "SWIFTLET_MODEL": "smollm2-135m", "SWIFTLET_THREADS": "1", "SWIFTLET_BATCH_SIZE": "32",
        "HF_ENDPOINT": "https://other.example", "HF_TOKEN": "hf_secret",
      ])
    #expect(configuration.provider.defaultModel == "smollm2-135m")
    #expect(
      configuration.provider.settings(of: "me/mine")
        == PerformanceSettings(threads: 1, gpuLayers: 4, batchSize: 32))
    #expect(configuration.environment.endpoint == "https://other.example")
    #expect(configuration.environment.token == "hf_secret")
    #expect(configuration.origin(of: "defaultModel") == .environment("SWIFTLET_MODEL"))
    #expect(configuration.origin(of: "provider.apiHost") == .environment("HF_ENDPOINT"))
    let source = try ModelLibrary(configuration).source(of: "/some/file.gguf")
    #expect(configuration.settings(of: source) == PerformanceSettings(threads: 1, batchSize: 32))
    #expect(throws: HubError.self) { try load(nil, ["SWIFTLET_THREADS": "0"]) }
    // A default that is not used does no harm.
    #expect(try load(nil, ["SWIFTLET_MODEL": "no-such"]).provider.defaultModel == "no-such")
  }

  @Test("what was measured goes before what is built in, and behind all that a user says")
  func measured() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let variables = ["XDG_CACHE_HOME": folder.path]
    let environment = HubEnvironment(["HOME": "/nowhere"].merging(variables) { $1 })
    let id = "HuggingFaceTB/SmolLM2-135M-Instruct"
    var tuning = Tuning(environment)
    #expect(tuning[id] == nil)
    tuning[id] = .init(threads: 3, batchSize: 128)
    tuning["/a/b.gguf"] = .init(threads: 5, batchSize: 32)
    tuning["me/mine"] = .init(threads: 1000, batchSize: 0)
    try tuning.save(environment)
    let configuration = try load(nil, variables)
    #expect(
      configuration.provider.settings(of: id) == PerformanceSettings(threads: 3, batchSize: 128))
    #expect(configuration.origin(of: "performanceSettings.\(id).threads") == .measured)
    let library = ModelLibrary(configuration)
    let file = try library.source(of: "/a/b.gguf")
    #expect(configuration.settings(of: file) == PerformanceSettings(threads: 5, batchSize: 32))
    // The example's file says 2 threads; a nonsensical measurement does not count.
    let said = try load(example, variables)
    #expect(said.provider.settings(of: id) == PerformanceSettings(threads: 2, batchSize: 128))
    #expect(said.provider.settings(of: "me/mine").threads == 4)
    let set = try load(nil, variables.merging(["SWIFTLET_THREADS": "7"]) { $1 })
    #expect(set.settings(of: file) == PerformanceSettings(threads: 7, batchSize: 32))
    for text in ["", "{", "[]", "{\"machines\": 3}"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: environment.tuningFile))
      #expect(Tuning(environment)[id] == nil)
    }
  }

  @Test("the provider's key is a token, unless the environment has one")
  func key() throws {
    let text = #"{"provider": {"apiKey": "hf_file"}}"#
    #expect(try load(text).environment.token == "hf_file")
    #expect(try load(text, ["HF_TOKEN": "hf_environment"]).environment.token == "hf_environment")
  }

  @Test("a token goes to the host that it is for")
  func hosts() throws {
    let login = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      .path
    defer { try? FileManager.default.removeItem(atPath: login) }
    try Data("hf_login\n".utf8).write(to: URL(fileURLWithPath: login))
    func token(_ text: String, _ variables: [String: String] = [:]) throws -> String? {
      try load(text, variables.merging(["HF_TOKEN_PATH": login]) { $1 }).environment.token
    }
    #expect(try token("{}") == "hf_login")
    let key = #"{"provider": {"apiHost": "https://hub.corp", "apiKey": "corp"}}"#
    #expect(try token(key) == "corp")
    #expect(try token(#"{"provider": {"apiHost": "https://hub.corp"}}"#) == nil)
    // The file's key is not for the host of a variable.
    #expect(try token(key, ["HF_ENDPOINT": "https://mirror"]) == "hf_login")
    #expect(try load(key, ["HF_ENDPOINT": "https://mirror"]).environment.token == nil)
    #expect(HubEnvironment(["HF_TOKEN": " hf_x\r\n"]).token == "hf_x")
    #expect(HubEnvironment(["HF_HUB_DOWNLOAD_TIMEOUT": "99999999999999999"]).stallSeconds == 86_400)
  }

  @Test(
    "faults are named by file, line and key",
    arguments: [
      ("{\n \"a\": 1}", 2, "a: no such key"),
      ("{\"provider\":\n{\"enabled\":\n 1}}", 3, "provider.enabled: allowed: true, false"),
      (
        "{\"provider\": {\"models\": [\n{\"id\":\"a\"},\n{\"name\":\"b\"}]}}", 3,
        "provider.models.1: a model needs"
      ),
      ("{\"provider\": {\"models\": [{\"id\":\"\"}]}}", 1, "provider.models.0.id: allowed: a name"),
      (
        "{\"performanceSettings\": {\"x\": {\n\n\"threads\": 0}}}", 3,
        "threads: allowed: a whole number, 1 to 256"
      ),
      (
        "{\"performanceSettings\": {\"x\": {\"threads\": 1.5}}}", 1,
        "threads: allowed: a whole number"
      ),
      ("{\"performanceSettings\": {\"x\": {\"batchSize\": 1e300}}}", 1, "batchSize: allowed"),
      (
        "{\"performanceSettings\": {\"x\": {\"gpu\": 1}}}", 1,
        "gpu: no such key; allowed: threads, gpuLayers, batchSize"
      ),
      ("{\"downloadURLs\": {\"x\":\n \"nonsense\"}}", 2, "downloadURLs.x: allowed: hf:"),
      ("{\"downloadURLs\": {\"x\": \"hf:../..\"}}", 1, "downloadURLs.x"),
      ("{\"downloadURLs\": {\"x\": \"ftp://host/file.gguf\"}}", 1, "only http and https"),
      ("{\n\"defaultModel\": \"no-such\"}", 2, "defaultModel: unknown model"),
      ("{\"provider\": {\"apiHost\": \"host\"}}", 1, "apiHost: allowed: a URL"),
      ("{\"provider\": {\"apiKey\": \"a\\nb\"}}", 1, "apiKey: a character"),
      ("{\"provider\": {\"id\": \"other\"}}", 1, "provider.id: allowed: \"huggingface\""),
      ("[]", 1, "allowed: an object"), ("\"\\u007b\"", 1, "allowed: an object"),
    ])
  func faults(text: String, line: Int, words: String) throws {
    do {
      _ = try load(text)
      Issue.record("it was taken")
    } catch let error as HubError {
      guard case .configuration(_, let found, _, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(found == line, "\(error)")
      #expect("\(error)".contains(words), "\(error)")
    }
  }

  @Test(
    "what is no JSON is named by its line",
    arguments: [
      ("{\n\"a\": }", 2, "a value"), ("", 1, "a value"), ("{\"a\": 1\n", 2, "',' or '}'"),
      ("{\n\n,}", 3, "a key in quotes"), ("{\"a\" 1}", 1, "':'"),
      ("{\"a\": \"b\n\"}", 1, "a closing quote"),
      ("{}\n\n}", 3, "the end"), ("{\"a\": 01x}", 1, "a value"), ("\"\\", 1, "a closing quote"),
    ])
  func syntax(text: String, line: Int, words: String) throws {
    do {
      _ = try load(text)
      Issue.record("it was taken")
    } catch let error as HubError {
      #expect("\(error)".contains("this is not JSON"), "\(error)")
      #expect("\(error)".contains("expected \(words)"), "\(error)")
      guard case .configuration(_, line, _, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(throws: HubError.self) { try load(String(repeating: "[", count: 100_000)) }
    #expect(throws: HubError.self) { try load(String(repeating: " ", count: 2 << 20)) }
  }
}
