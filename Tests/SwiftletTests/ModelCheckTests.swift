import Foundation
import Swiftlet
import TestSupport
import Testing

/// What the provider's contract says of running a model.
@Suite struct ModelCheckTests {
  private func library(_ variables: [String: String] = [:]) -> ModelLibrary {
    ModelLibrary(
      Configuration(
        environment: HubEnvironment(["HOME": "/nowhere"].merging(variables) { $1 })))
  }

  private func check(_ name: String, _ variables: [String: String] = [:]) throws -> [String] {
    let library = library(variables)
    return try library.check(try library.source(of: name))
  }

  @Test("check says whether a model would run, and why not")
  func check() throws {
    #expect(try check(Fixtures.path("tiny-q4_0.gguf")) == [])
    #expect(try check("smollm2-135m") == [])
    #expect(try check("smollm2-135m", ["HF_HUB_OFFLINE": "1"]).first?.contains("OFFLINE") == true)
    #expect(try check("/no/such.gguf").first?.contains("no such file") == true)
    let text = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString + ".gguf").path
    defer { try? FileManager.default.removeItem(atPath: text) }
    try "no model".write(toFile: text, atomically: true, encoding: .utf8)
    #expect(try check(text).first?.contains(text) == true)
  }

  @Test("threads is capped at the machine's cores unless forced")
  func threads() throws {
    let options = LoadingOptions(PerformanceSettings(threads: 200))
    #expect(options.threads == ComputeTeam.coreCount)
    #expect(LoadingOptions(PerformanceSettings(threads: 1)).threads == 1)
    let model = Fixtures.path("tiny-q4_0.gguf")
    let capped = try BuiltCommand.run(
      ["run", "-m", model, "--raw", "-n", "1", "-t", "200", "abc"])
    #expect(capped.status == 0 && capped.errors.contains("200 threads asked for"))
    let forced = try BuiltCommand.run(
      ["run", "-m", model, "--raw", "-n", "1", "-t", "200", "--force-threads", "abc"])
    #expect(forced.status == 0 && forced.errors.isEmpty, "\(forced.errors)")
  }

  @Test("a model is loaded by name: fetched, checked, and used from then on without a network")
  func byName() throws {
    let hub = try LoopbackHub([
      "owner/model-GGUF/model-Q4_0.gguf": try Fixtures.data("tiny-q4_0.gguf")
    ])
    let library = ModelLibrary(Configuration(environment: HubEnvironment(hub.variables)))
    var phases: [DownloadState.Phase] = []
    let name = "hf:owner/model-GGUF"
    _ = try LanguageModel(named: name, library: library) { state in
      phases.append(state.phase)
      return true
    }
    #expect(phases.contains(.verifying))
    hub.forgetRequests()
    let again = try LanguageModel(named: name, library: library)
    #expect(hub.requests.isEmpty)
    #expect(again.options.threads == min(4, ComputeTeam.coreCount))
  }

  @Test("proxies are honoured")
  func proxy() throws {
    let hub = try LoopbackHub([
      "owner/model-GGUF/model-Q4_0.gguf": try Fixtures.data("tiny-q4_0.gguf")
    ])
    var variables = hub.variables
    variables["HF_ENDPOINT"] = "http://hub.invalid"
    variables["http_proxy"] = hub.endpoint
    let result = try BuiltCommand.run(
      ["models", "pull", "hf:owner/model-GGUF"], environment: variables)
    #expect(result.status == 0, "\(result.errors)")
    #expect(hub.requests.allSatisfy { $0.path.hasPrefix("http://hub.invalid/") })
    #expect(hub.fileRequests.count == 1)
  }
}
