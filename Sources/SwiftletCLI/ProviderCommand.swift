import ArgumentParser
import Swiftlet

struct ProviderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "provider",
    abstract: "Show where models come from and how they are run, and who says so.",
    discussion: """
      What is built in, over it the configuration file, over it the environment
      (SWIFTLET_MODEL, SWIFTLET_THREADS, SWIFTLET_BATCH_SIZE, HF_ENDPOINT, HF_TOKEN).

      Example:
        swiftlet provider --json
      """)

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    try reportingErrors {
      let configuration = try Configuration.load()
      // A token is never printed.
      var shown = configuration.provider
      if !shown.provider.apiKey.isEmpty { shown.provider.apiKey = "***" }
      guard !json else { return StandardOutput.writeJSON(shown) }
      StandardOutput.write(text(shown, configuration))
    }
  }

  private func text(_ shown: ProviderConfiguration, _ configuration: Configuration) -> String {
    let provider = shown.provider
    var lines: [String] = []
    func row(_ name: String, _ value: String, _ key: String) {
      lines.append(
        "\(name.padded(14)) \(printable(value, limit: .max))  (\(configuration.origin(of: key)))")
    }
    lines.append("Configuration  \(configuration.environment.configurationFile)")
    row("Provider", "\(provider.name) (\(provider.id))", "provider.name")
    row("Enabled", provider.enabled ? "yes" : "no", "provider.enabled")
    row("Host", configuration.environment.endpoint, "provider.apiHost")
    row("Key", provider.apiKey.isEmpty ? "none" : provider.apiKey, "provider.apiKey")
    row("Default model", shown.defaultModel, "defaultModel")
    for model in provider.models {
      let settings = shown.settings(of: model.id)
      let key = "performanceSettings.\(model.id)"
      lines.append("")
      row("Model", model.id, "provider.models.\(model.id)")
      if !model.description.isEmpty {
        lines.append("               \(printable(model.description))")
      }
      row("  from", shown.downloadURLs[model.id] ?? "nowhere", "downloadURLs.\(model.id)")
      row("  threads", "\(settings.threads)", key + ".threads")
      row("  gpuLayers", "\(settings.gpuLayers)", key + ".gpuLayers")
      row("  batchSize", "\(settings.batchSize)", key + ".batchSize")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
