/// A model that Swiftlet knows: what it is called, and which file at which commit it is.
public struct CatalogueEntry: Sendable, Equatable {
  /// As the model is known: the original's repository.
  public let id: String
  /// The short name, like "smollm2-135m".
  public let shortName: String
  /// The name for people.
  public let name: String
  /// What the model is, in a sentence.
  public let description: String
  /// The file on the hub.
  public let file: HubFile
}

/// The models that can be asked for by name.
public enum Catalogue {
  /// The models that are known by name, smallest first.
  public static let entries: [CatalogueEntry] = [
    entry(
      id: "HuggingFaceTB/SmolLM2-135M-Instruct", shortName: "smollm2-135m",
      name: "SmolLM2 135M Instruct",
      description: "The smallest: instant answers, short texts.",
      repository: "bartowski/SmolLM2-135M-Instruct-GGUF",
      path: "SmolLM2-135M-Instruct-Q4_0.gguf",
      commit: "09816acd5d99df7be770d85ea30822623dab342c", byteCount: 91_893_088,
      sha256: "bcc3af2849ad6095af57e9b5cd43775256efdc66e306acb529172f92d0c04b03"),
    entry(
      id: "HuggingFaceTB/SmolLM2-360M-Instruct", shortName: "smollm2-360m",
      name: "SmolLM2 360M Instruct",
      description: "Better answers, still small.",
      repository: "bartowski/SmolLM2-360M-Instruct-GGUF",
      path: "SmolLM2-360M-Instruct-Q4_0.gguf",
      commit: "56e32585e089f5cb84f0e4f8d64e8319332ea9a3", byteCount: 229_733_280,
      sha256: "c3608933eb6e5763b87f769bda40c204dc158333668c7af214644fe39da58627"),
  ].compactMap { $0 }

  /// nil where a constant above is not well formed, which a test looks for.
  private static func entry(
    id: String, shortName: String, name: String, description: String, repository: String,
    path: String, commit: String, byteCount: Int, sha256: String
  ) -> CatalogueEntry? {
    let file = try? HubFile(
      repository: repository, path: path, commit: commit, byteCount: byteCount, sha256: sha256)
    return file.map {
      CatalogueEntry(
        id: id, shortName: shortName, name: name, description: description, file: $0)
    }
  }

  /// What runs when no model is named.
  public static let defaultID = "HuggingFaceTB/SmolLM2-360M-Instruct"

  /// The entry whose id or short name is `name`, without regard to case.
  public static func entry(_ name: String) -> CatalogueEntry? {
    let name = name.lowercased()
    return entries.first { $0.id.lowercased() == name || $0.shortName == name }
  }

  /// Of `names`, those that look most like `name`, best first.
  static func nearest(to name: String, among names: [String]) -> [String] {
    let wanted = Array(name.lowercased().unicodeScalars)
    return
      names
      .map { (name: $0, distance: editDistance(wanted, Array($0.lowercased().unicodeScalars))) }
      .sorted { $0.distance < $1.distance }
      .map(\.name)
  }

  /// Insertions, deletions and substitutions from one to the other (Levenshtein 1966).
  private static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    // Names that are compared are short; a long one is as far away as it is long.
    guard a.count <= 200, !b.isEmpty else { return max(a.count, b.count) }
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let substituted = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
