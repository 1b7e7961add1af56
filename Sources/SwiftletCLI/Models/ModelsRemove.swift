import ArgumentParser
import Swiftlet

struct ModelsRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a model from this machine.",
    discussion: """
      Bytes that another revision of the repository needs stay.

      Example:
        swiftlet models rm smollm2-135m
      """)

  @Argument(help: "A model.")
  var name: String

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  @Flag(help: "Print a JSON object.")
  var json = false

  /// The names are part of the contract.
  private struct Report: Encodable {
    let model: String
    let freed: Int
    let paths: [String]
  }

  func run() throws {
    try reportingErrors {
      let location = try ModelLocation(name)
      let removal = try location.library.removal(of: location.source)
      guard !removal.paths.isEmpty else {
        throw CommandFailure("\(location.source.title) is not on this machine")
      }
      let size = "\(megabytes(removal.byteCount)) MB"
      try Confirmation.ask(
        "Remove \(printable(location.source.title)) and free \(size)?", skipped: yes)
      try location.library.remove(removal)
      if json {
        StandardOutput.writeJSON(
          Report(
            model: location.source.title, freed: removal.byteCount, paths: removal.paths))
      } else {
        StandardOutput.write("freed \(size)\n")
      }
    }
  }
}
