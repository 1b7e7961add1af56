import ArgumentParser
import Swiftlet

struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "The models that can be asked for by name.",
    subcommands: [List.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the catalogue.",
      discussion: """
        Example:
          swiftlet models list
        """)

    func run() {
      for entry in Catalogue.entries {
        StandardOutput.write(
          "\(entry.shortName.padded(16)) \(entry.id.padded(38)) \(entry.byteCount / 1_000_000) MB\n"
        )
      }
    }
  }
}
