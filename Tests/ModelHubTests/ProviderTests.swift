import Foundation
import TestSupport
import Testing

@testable import ModelHub

/// Each sentence of the provider's contract has a test that names it.
@Suite struct ProviderTests {
  private let configuration = ProviderConfiguration(endpoint: "https://hub")

  @Test("same concepts and JSON names as the seed: provider, model, performance settings, URLs")
  func fieldNames() throws {
    let data = try JSONEncoder().encode(configuration)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["defaultModel"] as? String == "HuggingFaceTB/SmolLM2-360M-Instruct")
    let provider = try #require(object["provider"] as? [String: Any])
    #expect(
      Set(provider.keys) == [
        "id", "name", "type", "apiKey", "apiHost", "models", "isSystem", "enabled",
      ])
    #expect(provider["id"] as? String == "huggingface")
    #expect(provider["name"] as? String == "Huggingface")
    #expect(provider["isSystem"] as? Bool == true && provider["enabled"] as? Bool == true)
    let models = try #require(provider["models"] as? [[String: Any]])
    #expect(models.count == 2)
    for model in models {
      #expect(
        Set(model.keys) == ["id", "name", "description", "provider", "group", "type"])
      #expect(model["group"] as? String == "SmolLM2")
      #expect(model["type"] as? [String] == ["text"])
    }
    let settings = try #require(object["performanceSettings"] as? [String: [String: Int]])
    #expect(
      settings["HuggingFaceTB/SmolLM2-135M-Instruct"]
        == ["threads": 4, "gpuLayers": 0, "batchSize": 512])
    let urls = try #require(object["downloadURLs"] as? [String: String])
    #expect(urls.count == 2 && urls.values.allSatisfy { $0.hasPrefix("https://hub/bartowski/") })
    #expect(try JSONDecoder().decode(ProviderConfiguration.self, from: data) == configuration)
  }

  @Test("the default model is SmolLM2-360M-Instruct")
  func defaultModel() throws {
    let library = ModelLibrary(Configuration(environment: HubEnvironment(["HOME": "/nowhere"])))
    let source = try library.source(of: library.configuration.provider.defaultModel)
    #expect(source.id == "HuggingFaceTB/SmolLM2-360M-Instruct")
    #expect(source.title == "smollm2-360m")
    #expect(Catalogue.entries.count == 2, "each entry's constants are well formed")
  }

  @Test("users add models, change addresses, settings and the default through the API")
  func changes() throws {
    var configuration = configuration
    configuration.add(
      .init(id: "me/mine"), from: "hf:me/mine-GGUF:Q8_0", settings: .init(threads: 1))
    configuration.downloadURLs["HuggingFaceTB/SmolLM2-135M-Instruct"] = "https://host/a.gguf"
    configuration.defaultModel = "me/mine"
    let library = ModelLibrary(
      Configuration(environment: HubEnvironment(["HOME": "/nowhere"]), provider: configuration))
    #expect(
      try library.source(of: "me/mine").place
        == .repository(try RepositoryReference("me/mine-GGUF:Q8_0")))
    #expect(
      try library.source(of: "smollm2-135m").place == .web(url: "https://host/a.gguf"))
    #expect(
      library.configuration.settings(of: try library.source(of: "me/mine")).threads == 1)
  }

  @Test("enabled: false refuses with a clear error")
  func disabled() throws {
    var configuration = configuration
    configuration.provider.enabled = false
    let library = ModelLibrary(
      Configuration(environment: HubEnvironment(["HOME": "/nowhere"]), provider: configuration))
    #expect(throws: HubError.disabled(provider: "Huggingface", model: "smollm2-135m")) {
      try library.source(of: "smollm2-135m")
    }
    #expect(throws: HubError.self) { try library.source(of: "hf:owner/name") }
    #expect(try library.source(of: "/a/file.gguf").place == .local(path: "/a/file.gguf"))
  }

  @Test("an unknown name gets the nearest ones")
  func unknown() throws {
    let library = ModelLibrary(Configuration(environment: HubEnvironment(["HOME": "/nowhere"])))
    #expect(
      throws: HubError.unknownModel(
        name: "smolm360", nearest: ["smollm2-360m", "smollm2-135m"])
    ) { try library.source(of: "smolm360") }
    #expect(Catalogue.entry("SMOLLM2-360M")?.id == "HuggingFaceTB/SmolLM2-360M-Instruct")
  }

  @Test("gpuLayers above 0 is accepted and answered with one warning")
  func settings() {
    #expect(PerformanceSettings().warning == nil)
    #expect(PerformanceSettings(gpuLayers: 3).warning?.contains("gpuLayers 3") == true)
    #expect(configuration.settings(of: "no/such") == PerformanceSettings())
  }

  @Test(
    "exists locally? else download, with progress, verify; later requests use no network at all")
  func lazyLoading() async throws {
    let world = try HubWorld([("hold", 0)], variables: ["HF_HUB_DOWNLOAD_TIMEOUT": "600"])
    let download = try world.library.download("hf:owner/model-GGUF")
    var phases: [String] = []
    var last: DownloadState?
    for await state in download.states {
      let name = "\(state.phase)".prefix { $0 != "(" }
      if phases.last != String(name) { phases.append(String(name)) }
      if let last, state.phase == .downloading, last.phase == .downloading {
        #expect(state.receivedBytes >= last.receivedBytes && state.totalBytes == 300_000)
      }
      last = state
      if state.receivedBytes > 0 { try world.hub.write(Data(), to: "release") }
    }
    #expect(phases.contains("downloading"), "\(phases)")
    let path = try await download.path()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == world.content)
    world.hub.forgetRequests()
    #expect(try await world.library.download("hf:owner/model-GGUF").path() == path)
    #expect(world.hub.requests.isEmpty)
  }

  @Test("a second request joins the first; any number of observers see the same end")
  func joining() async throws {
    let world = try HubWorld([("slow", 1_000_000)])
    let library = world.library
    let paths = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<5 {
        group.addTask { try await library.download("hf:owner/model-GGUF").path() }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(paths.count == 1)
    #expect(world.hub.requests.count == 2, "one question, one transfer")
    let download = try library.download("hf:owner/model-GGUF")
    async let first = download.states.reduce(into: [DownloadState]()) { $0.append($1) }
    async let second = download.states.reduce(into: [DownloadState]()) { $0.append($1) }
    #expect(await first.last == second.last)
  }

  @Test("a request that is taken back leaves the others alone; the last one ends the transfer")
  func takingBack() async throws {
    let world = try HubWorld([("hold", 0)], variables: ["HF_HUB_DOWNLOAD_TIMEOUT": "600"])
    let library = world.library
    let first = try library.download("hf:owner/model-GGUF")
    let second = try library.download("hf:owner/model-GGUF")
    for await state in first.states where state.receivedBytes > 0 { break }
    first.cancel()
    first.cancel()
    try await Task.sleep(for: .milliseconds(50))
    #expect(!second.state.phase.isFinal)
    let waiting = Task { try await second.path() }
    waiting.cancel()
    await #expect(throws: HubError.cancelled) { try await waiting.value }
    #expect(!world.isPublished)
    let path = try await library.download("hf:owner/model-GGUF").path()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == world.content)
    #expect(world.ranges.last??.hasPrefix("bytes=") == true, "it goes on where it stopped")
  }

  @Test("a failed download says why to all who wait")
  func failing() async throws {
    let world = try HubWorld([("status", 404)], repeats: true)
    let download = try world.library.download("hf:owner/model-GGUF")
    await #expect(throws: HubError.self) { try await download.path() }
    guard case .failed(.refused(_, 404)) = download.state.phase else {
      Issue.record("\(download.state)")
      return
    }
  }

  @Test("each model has a status: remote, downloading, local, damaged")
  func statuses() async throws {
    let world = try HubWorld([("hold", 0)], variables: ["HF_HUB_DOWNLOAD_TIMEOUT": "600"])
    #expect(try world.library.status(of: world.source) == .remote)
    let library = world.library
    let source = world.source
    let fetching = Task.detached { try library.fetch(source) }
    while try library.status(of: source) == .remote { try await Task.sleep(for: .milliseconds(5)) }
    #expect(try library.status(of: source) == .downloading)
    try world.hub.write(Data(), to: "release")
    let path = try await fetching.value
    #expect(try library.status(of: source) == .local(path: path, byteCount: 300_000))
    try Data([1]).write(to: URL(fileURLWithPath: world.cache.blob(world.file)))
    #expect(
      try library.status(of: source) == .damaged(path: path, reason: "1 bytes, expected 300000"))
  }

  @Test("files live where the hub's own library keeps them, and its variables are honoured")
  func cacheFolder() {
    #expect(HubEnvironment(["HOME": "/h"]).cacheFolder == "/h/.cache/huggingface/hub")
    #expect(HubEnvironment(["XDG_CACHE_HOME": "/x"]).cacheFolder == "/x/huggingface/hub")
    #expect(HubEnvironment(["HF_HOME": "/y"]).cacheFolder == "/y/hub")
    #expect(HubEnvironment(["HF_HOME": "/y", "HF_HUB_CACHE": "/z"]).cacheFolder == "/z")
    #expect(HubEnvironment(["HOME": "/h", "HF_HOME": "~/y"]).cacheFolder == "/h/y/hub")
    #expect(HubEnvironment(["HF_ENDPOINT": "https://a//"]).endpoint == "https://a")
    #expect(HubEnvironment(["HF_HUB_OFFLINE": "yes"]).isOffline)
    #expect(
      HubEnvironment(["XDG_CONFIG_HOME": "/c"]).configurationFile == "/c/swiftlet/config.json")
  }

  @Test("the token is the variable's, or that of the file which logging in writes")
  func tokens() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("hf_file\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(HubEnvironment(["HF_TOKEN_PATH": path]).token == "hf_file")
    #expect(HubEnvironment(["HF_TOKEN_PATH": path, "HF_TOKEN": "hf_own"]).token == "hf_own")
    #expect(
      HubEnvironment(["HF_TOKEN_PATH": path, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]).token == nil)
  }
}
