import ArgumentParser
import Foundation
import Swiftlet

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a GGUF file holds.",
    discussion: """
      Examples:
        swiftlet inspect model.gguf
        swiftlet inspect model.gguf --key llama.context_length
      """)

  @Argument(help: "A GGUF file, or the name of a model.")
  var model: String

  @Flag(help: "Show every tensor.")
  var tensors = false

  @Flag(help: "Show every metadata key.")
  var metadata = false

  @Option(help: "Show one metadata value, whole.")
  var key: String?

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    try reportingErrors {
      let report = InspectReport(try GGUFFile(path: try ModelLocation(model).fetch()))
      if let key {
        StandardOutput.write(try report.value(of: key) + "\n")
      } else if json {
        StandardOutput.writeJSON(report)
      } else {
        var parts: [String] = []
        if !tensors && !metadata { parts.append(report.summaryText) }
        if metadata { parts.append(report.metadataText) }
        if tensors { parts.append(report.tensorText) }
        StandardOutput.write(parts.joined(separator: "\n"))
      }
    }
  }
}
