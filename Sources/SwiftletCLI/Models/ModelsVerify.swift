import ArgumentParser
import Swiftlet

struct ModelsVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read the files again and compare their SHA-256.",
    discussion: """
      Fails where a file is not what it has to be.

      Example:
        swiftlet models verify
      """)

  @Argument(help: "Models (default: all that are here).")
  var names: [String] = []

  @Flag(help: "Print a JSON array.")
  var json = false

  /// The names are part of the contract.
  private struct Entry: Encodable {
    let model: String
    let path: String?
    /// nil where the file is whole, or where no hash of it is known.
    let fault: String?
  }

  func run() throws {
    try reportingErrors {
      let library = try ModelLibrary()
      Interruption.watch()
      let files = try names.isEmpty ? library.localFiles : names.map { try file($0, library) }
      var entries: [Entry] = []
      for file in files {
        let result = try library.verify(file) { Interruption.happened }
        let (words, fault): (String, String?) =
          switch result {
          case .matches: ("as it has to be", nil)
          case .unknown: ("no SHA-256 of it is known", nil)
          case .differs(let fault): (fault, fault)
          }
        entries.append(Entry(model: file.title, path: file.path, fault: fault))
        if !json { StandardOutput.write("\(printable(file.title)): \(words)\n") }
      }
      if json { StandardOutput.writeJSON(entries) }
      guard let damaged = entries.first(where: { $0.fault != nil }) else { return }
      StandardError.write(
        "swiftlet: 'swiftlet models rm \(printable(damaged.model))', then 'pull', fetches it anew\n"
      )
      throw ExitCode(1)
    }
  }

  private func file(_ name: String, _ library: ModelLibrary) throws -> ModelLibrary.LocalFile {
    let source = try library.source(of: name)
    guard let file = try library.localFile(source) else {
      throw CommandFailure("\(source.title) is not on this machine")
    }
    return file
  }
}
