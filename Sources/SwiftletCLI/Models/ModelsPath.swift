import ArgumentParser
import Swiftlet

struct ModelsPath: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path", abstract: "Print where a model is; fails where it is not here.",
    discussion: """
      Example:
        swiftlet models path smollm2-135m
      """)

  @Argument(help: "A model (default: the default one).")
  var name: String?

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    try reportingErrors {
      let location = try ModelLocation(name)
      guard let path = try location.library.path(of: location.source) else {
        throw CommandFailure("\(location.source.title) is not on this machine")
      }
      try ModelPlace(location, path).write(json: json)
    }
  }
}
