import ArgumentParser
import Swiftlet

struct ModelsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the models that have names, and others that are here.",
    discussion: """
      Example:
        swiftlet models list --json
      """)

  @Flag(help: "Print a JSON array.")
  var json = false

  /// The names are part of the contract.
  private struct Entry: Encodable {
    let model: String
    let id: String?
    let status: String
    let bytes: Int?
    let path: String?
    let isDefault: Bool

    enum CodingKeys: String, CodingKey {
      case model, id, status, bytes, path
      case isDefault = "default"
    }
  }

  func run() throws {
    try reportingErrors {
      let library = try ModelLibrary()
      let entries = try named(library) + others(library)
      guard !json else { return StandardOutput.writeJSON(entries) }
      let width = (entries.map(\.model.count).max() ?? 0) + 2
      for entry in entries {
        StandardOutput.write(
          printable(entry.model).padded(width)
            + (entry.bytes.map { "\(megabytes($0)) MB" } ?? "").padded(12)
            + entry.status + (entry.isDefault ? " (default)" : "") + "\n")
      }
    }
  }

  private func named(_ library: ModelLibrary) throws -> [Entry] {
    let provider = library.configuration.provider
    let chosen = try? provider.model(named: provider.defaultModel).id
    return try provider.provider.models.map { model in
      let (status, bytes, path) = try state(of: model.id, library)
      return Entry(
        model: Catalogue.entry(model.id)?.shortName ?? model.id, id: model.id, status: status,
        bytes: bytes, path: path, isDefault: model.id == chosen)
    }
  }

  /// Status, size and place of the model `id`.
  private func state(
    of id: String, _ library: ModelLibrary
  ) throws -> (status: String, bytes: Int?, path: String?) {
    guard library.configuration.provider.provider.enabled else { return ("disabled", nil, nil) }
    guard let source = try? library.source(of: id) else { return ("no source", nil, nil) }
    var bytes: Int?
    if case .pinned(let file) = source.place { bytes = file.byteCount }
    return switch try library.status(of: source) {
    case .local(let path, let count): ("local", count, path)
    case .damaged(let path, _): ("damaged", bytes, path)
    case .downloading: ("downloading", bytes, nil)
    case .remote: ("remote", bytes, nil)
    }
  }

  /// GGUF files of the cache that no name stands for.
  private func others(_ library: ModelLibrary) -> [Entry] {
    let known = library.configuration.provider.provider.models.compactMap { model in
      try? library.path(of: try library.source(of: model.id))
    }
    let cached = CacheScan(library.configuration.environment.cache).files
      .filter { !known.contains($0.location) }
      .map {
        Entry(
          model: $0.reference, id: nil, status: $0.isWhole ? "local" : "damaged",
          bytes: $0.byteCount, path: $0.location, isDefault: false)
      }
    let web = library.configuration.environment.webStore.files.map {
      Entry(
        model: $0.url, id: nil, status: "local", bytes: $0.byteCount, path: $0.location,
        isDefault: false)
    }
    return cached + web
  }
}
