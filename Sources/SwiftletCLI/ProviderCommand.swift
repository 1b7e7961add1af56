import ArgumentParser
import Swiftlet

struct ProviderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "provider",
    abstract: "Show where models come from and how they are run.",
    discussion: """
      Example:
        swiftlet provider --json
      """)

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() {
    let configuration = ProviderConfiguration()
    guard !json else { return StandardOutput.writeJSON(configuration) }
    let provider = configuration.provider
    StandardOutput.write(
      "\(provider.name) (\(provider.id)), \(provider.enabled ? "enabled" : "disabled")\n")
    for model in provider.models {
      let settings = configuration.settings(of: model.id)
      StandardOutput.write(
        """
        \(model.id)\(model.id == configuration.defaultModel ? " (default)" : "")
          \(model.description)
          from        \(configuration.downloadURLs[model.id] ?? "nowhere")
          threads     \(settings.threads)
          batch size  \(settings.batchSize)

        """)
    }
  }
}
