import Foundation
import Testing

@testable import ModelHub

@Suite struct ProviderTests {
  private let configuration = ProviderConfiguration(endpoint: "https://hub")

  @Test("the provider's JSON has the field names that its users know")
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

  @Test("a disabled provider refuses its models, an unknown name gets the nearest ones")
  func refusals() throws {
    #expect(try configuration.entry(named: "smollm2-135m").shortName == "smollm2-135m")
    var disabled = configuration
    disabled.provider.enabled = false
    #expect(throws: HubError.disabled(provider: "Huggingface", model: "smollm2-135m")) {
      try disabled.entry(named: "smollm2-135m")
    }
    #expect(
      throws: HubError.unknownModel(
        name: "smolm360", nearest: ["smollm2-360m", "smollm2-135m"])
    ) { try configuration.entry(named: "smolm360") }
  }

  @Test("layers for a GPU are answered with one warning; unknown models get the defaults")
  func settings() {
    #expect(PerformanceSettings().warning == nil)
    #expect(PerformanceSettings(gpuLayers: 3).warning?.contains("gpuLayers 3") == true)
    #expect(configuration.settings(of: "no/such") == PerformanceSettings())
  }
}
