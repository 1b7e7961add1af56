import ArgumentParser
import Swiftlet

struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "The models that can be asked for by name.",
    discussion: """
      Example:
        swiftlet models pull smollm2-135m
      """,
    subcommands: [List.self, Pull.self, Path.self, Remove.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the catalogue.")

    func run() {
      let cache = Downloader().cache
      for entry in Catalogue.entries {
        StandardOutput.write(
          "\(entry.shortName.padded(14)) \(entry.id.padded(36)) "
            + "\("\(entry.byteCount / 1_000_000) MB".padded(8)) "
            + (cache.path(entry) == nil ? "remote\n" : "local\n"))
      }
    }
  }

  struct Pull: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetch a model, unless it is here, and print where it is.")

    @Argument(help: "A name from the list.")
    var name: String

    func run() throws {
      try reportingErrors {
        StandardOutput.write(try ModelLocation.fetch(try ModelLocation.entry(name)) + "\n")
      }
    }
  }

  struct Path: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print where a model is; fails where it is not here.")

    @Argument(help: "A name from the list.")
    var name: String

    func run() throws {
      try reportingErrors {
        let entry = try ModelLocation.entry(name)
        guard let path = Downloader().cache.path(entry) else {
          throw CommandFailure("\(entry.shortName) is not on this machine")
        }
        StandardOutput.write(path + "\n")
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove a model from the cache.")

    @Argument(help: "A name from the list.")
    var name: String

    func run() throws {
      try reportingErrors {
        let entry = try ModelLocation.entry(name)
        guard Downloader().cache.remove(entry) else {
          throw CommandFailure("\(entry.shortName) is not on this machine")
        }
      }
    }
  }
}
