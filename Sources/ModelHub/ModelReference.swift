/// What a user calls a model by, taken apart.
public enum ModelReference: Hashable, Sendable {
  /// An id or a short name of the catalogue or the configuration.
  case name(String)
  /// A repository of the hub.
  case repository(RepositoryReference)
  /// A file anywhere on the web.
  case url(String)
  /// A file on this machine.
  case file(path: String)

  /// Reads a catalogue name, `hf:OWNER/REPO[:QUANT|/FILE.gguf][@REVISION]`, a URL, or the path of a
  /// file. What ends in `.gguf`, or begins with `/`, `./`, `../` or `~/`, is a path.
  ///
  /// - Throws: `HubError.invalidName`.
  public init(_ text: String) throws(HubError) {
    let lower = text.lowercased()
    if lower.hasPrefix("hf:") {
      self = .repository(try RepositoryReference(String(text.dropFirst(3))))
    } else if lower.hasPrefix("https://") || lower.hasPrefix("http://") {
      self = .url(text)
    } else if let colon = lower.firstRange(of: "://"), !lower[..<colon.lowerBound].contains("/") {
      throw .invalidName(text, reason: "only http and https URLs are fetched")
    } else if lower.hasSuffix(".gguf")
      || ["/", "./", "../", "~/"].contains(where: { lower.hasPrefix($0) })
    {
      self = .file(path: text)
    } else {
      self = .name(text)
    }
  }
}

/// A GGUF file of a repository on the hub, named directly or by its quantization.
public struct RepositoryReference: Hashable, Sendable {
  /// Which file of a repository.
  public enum Selection: Hashable, Sendable {
    /// The one that suits this engine best, if that is clear.
    case best
    /// `Q4_0`, or any other part of the file's name between `-`, `.` or `_`.
    case quantization(String)
    /// The file at a path within the repository.
    case file(String)
  }

  /// OWNER/NAME.
  public let repository: String
  /// Which file of it.
  public let selection: Selection
  /// A branch, tag or commit.
  public let revision: String

  /// The branch that is taken where none is named.
  public static let defaultRevision = "main"

  /// A file of `repository` ("owner/name") at `revision`, a branch, tag or commit.
  public init(
    repository: String, selection: Selection, revision: String = RepositoryReference.defaultRevision
  ) throws(HubError) {
    self.repository = try HubName.repository(repository)
    self.selection = selection
    self.revision = try HubName.revision(revision)
    switch selection {
    case .best: break
    case .quantization(let name), .file(let name): _ = try HubName.path(name)
    }
  }

  /// - Parameter text: `OWNER/REPO[:QUANT|/FILE.gguf][@REVISION]`.
  init(_ text: String) throws(HubError) {
    var rest = Substring(text)
    var revision = Self.defaultRevision
    if let at = rest.lastIndex(of: "@") {
      revision = String(rest[rest.index(after: at)...])
      rest = rest[..<at]
    }
    var selection = Selection.best
    if let colon = rest.firstIndex(of: ":") {
      selection = .quantization(String(rest[rest.index(after: colon)...]))
      rest = rest[..<colon]
    }
    let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count > 2 {
      guard selection == .best else {
        throw .invalidName(text, reason: "a file and a quantization at once")
      }
      selection = .file(parts[2...].joined(separator: "/"))
    }
    try self.init(
      repository: parts.prefix(2).joined(separator: "/"), selection: selection, revision: revision)
  }

  /// Reads a link to a file on the hub: `ENDPOINT/OWNER/REPO/resolve|blob/REVISION/FILE`.
  ///
  /// - Returns: nil for any other URL.
  init?(url: String, endpoint: String) {
    guard url.hasPrefix(endpoint + "/") else { return nil }
    let path = url.dropFirst(endpoint.count + 1).prefix { $0 != "?" && $0 != "#" }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 5, ["resolve", "blob"].contains(parts[2]), !path.contains("%") else {
      return nil
    }
    guard
      let reference = try? RepositoryReference(
        repository: parts[0] + "/" + parts[1],
        selection: .file(parts[4...].joined(separator: "/")), revision: parts[3])
    else { return nil }
    self = reference
  }

  /// Of `files`, paths in the repository, the one that is meant.
  ///
  /// As llama.cpp's `-hf` does, a quantization is looked for in file names without regard to case.
  ///
  /// - Throws: `HubError.ambiguous` with the choices, `.noSuchFile` where there is none.
  func pick(from files: [String]) throws(HubError) -> String {
    if case .file(let name) = selection {
      guard files.contains(name) else { throw noSuchFile(files) }
      return name
    }
    let models = files.filter { file in
      let lower = file.lowercased()
      return lower.hasSuffix(".gguf") && !lower.contains("mmproj")
    }
    if case .quantization(let wanted) = selection {
      return try only(models.filter { Self.names($0, wanted) }, of: models)
    }
    if models.count == 1 { return models[0] }
    for preferred in ["Q4_0", "Q4_K_M", "Q8_0"] {
      let found = models.filter { Self.names($0, preferred) }
      if !found.isEmpty { return try only(found, of: models) }
    }
    return try only(models, of: models)
  }

  private func only(_ found: [String], of models: [String]) throws(HubError) -> String {
    guard let first = found.first else { throw noSuchFile(models) }
    guard found.count == 1 else {
      throw .ambiguous(name: description, choices: found.sorted())
    }
    return first
  }

  private func noSuchFile(_ files: [String]) -> HubError {
    .noSuchFile(name: description, choices: files.filter { $0.hasSuffix(".gguf") }.sorted())
  }

  /// Whether `quantization` stands in the file's name between separators.
  private static func names(_ file: String, _ quantization: String) -> Bool {
    let name = file.lowercased().split(separator: "/").last ?? ""
    var rest = name[...]
    while let range = rest.firstRange(of: quantization.lowercased()) {
      let before =
        range.lowerBound > name.startIndex ? name[name.index(before: range.lowerBound)] : "-"
      let after = range.upperBound < name.endIndex ? name[range.upperBound] : "."
      if "-._".contains(before), "-.".contains(after) { return true }
      rest = rest[range.upperBound...]
    }
    return false
  }
}

extension RepositoryReference: CustomStringConvertible {
  public var description: String {
    var text = "hf:" + repository
    switch selection {
    case .best: break
    case .quantization(let name): text += ":" + name
    case .file(let path): text += "/" + path
    }
    return revision == Self.defaultRevision ? text : text + "@" + revision
  }
}
