import ArgumentParser
import Swiftlet

struct ModelsPull: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Fetch a model, unless it is here, and print where it is.",
    discussion: """
      Of a branch (main, unless @REVISION says otherwise) the newest file is fetched.

      Examples:
        swiftlet models pull smollm2-135m
        swiftlet models pull hf:bartowski/SmolLM2-135M-Instruct-GGUF:Q8_0
      """)

  @Argument(help: "A model (default: the default one).")
  var name: String?

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    try reportingErrors {
      let location = try ModelLocation(name)
      try ModelPlace(location, try location.fetch(refreshes: true)).write(json: json)
    }
  }
}
