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
    return try provider.provider.models.map { model in
      let entry = Catalogue.entry(model.id)
      let name = entry?.shortName ?? model.id
      let isDefault = (try? provider.model(named: provider.defaultModel).id) == model.id
      guard provider.provider.enabled else {
        return Entry(
          model: name, id: model.id, status: "disabled", bytes: nil, path: nil,
          isDefault: isDefault)
      }
      guard let source = try? library.source(of: model.id) else {
        return Entry(
          model: name, id: model.id, status: "no source", bytes: nil, path: nil,
          isDefault: isDefault)
      }
      var bytes: Int?
      if case .pinned(let file) = source.place { bytes = file.byteCount }
      switch try library.status(of: source) {
      case .local(let path, let count):
        return Entry(
          model: name, id: model.id, status: "local", bytes: count, path: path,
          isDefault: isDefault)
      case .damaged(let path, _):
        return Entry(
          model: name, id: model.id, status: "damaged", bytes: bytes, path: path,
          isDefault: isDefault)
      case .downloading:
        return Entry(
          model: name, id: model.id, status: "downloading", bytes: bytes, path: nil,
          isDefault: isDefault)
      case .remote:
        return Entry(
          model: name, id: model.id, status: "remote", bytes: bytes, path: nil,
          isDefault: isDefault)
      }
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
