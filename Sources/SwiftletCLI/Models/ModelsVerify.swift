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
      let names = try names.isEmpty ? local(library) : names
      var entries: [Entry] = []
      for name in names {
        let source = try library.source(of: name)
        let fault = try library.verify(source) { Interruption.happened }
        let entry = Entry(
          model: source.title, path: try library.path(of: source), fault: fault)
        entries.append(entry)
        if !json {
          StandardOutput.write("\(printable(entry.model)): \(entry.fault ?? "as it has to be")\n")
        }
      }
      if json { StandardOutput.writeJSON(entries) }
      guard let damaged = entries.first(where: { $0.fault != nil }) else { return }
      StandardError.write(
        "swiftlet: 'swiftlet models rm \(printable(damaged.model))', then 'pull', fetches it anew\n"
      )
      throw ExitCode(1)
    }
  }

  /// Names of the models that are here, whole or not.
  private func local(_ library: ModelLibrary) throws -> [String] {
    let provider = library.configuration.provider.provider
    let named =
      provider.enabled
      ? try provider.models.map(\.id).filter {
        switch try library.status(of: try library.source(of: $0)) {
        case .local, .damaged: true
        case .remote, .downloading: false
        }
      } : []
    let places = try named.compactMap { try library.path(of: try library.source(of: $0)) }
    let scan = CacheScan(library.configuration.environment.cache)
    return named
      + scan.files.filter { !places.contains($0.location) }
      .map { "\($0.reference)@\($0.commit)" }
      + library.configuration.environment.webStore.files.map(\.url)
  }
}
