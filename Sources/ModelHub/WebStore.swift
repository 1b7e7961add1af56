import Crypto

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Files that came from web addresses outside of the hub: a folder for each address, named by its
/// hash, which holds the file under its own name and, beside it, a note of its SHA-256 and address.
public struct WebStore: Sendable, Equatable {
  /// The folder that holds the files.
  public let folder: String

  /// The store in `folder`, which need not be there.
  public init(folder: String) { self.folder = folder }

  private func place(_ url: String) -> String {
    "\(folder)/\(SHA256.hash(data: Array(url.utf8)).prefix(8).hexadecimal)"
  }

  /// Where the file from `url` is, or will be.
  ///
  /// - Throws: `HubError.invalidName` where the address does not end in a file's name.
  func location(_ url: String) throws(HubError) -> String {
    let path = url.prefix { $0 != "?" && $0 != "#" }
    guard let name = path.split(separator: "/").last, path.split(separator: "/").count > 2 else {
      throw .invalidName(url, reason: "an address without a file's name")
    }
    return "\(place(url))/\(try HubName.path(String(name)))"
  }

  /// The file from `url`, where it is here.
  public func path(_ url: String) throws(HubError) -> String? {
    let location = try location(url)
    return (fileSize(location) ?? 0) > 0 ? location : nil
  }

  /// A file, and what is known of it.
  public struct File: Sendable, Equatable {
    /// Where the file was fetched from.
    public let url: String
    /// Where the file is.
    public let location: String
    /// Bytes on disk.
    public let byteCount: Int
    /// As it was when it came.
    public let sha256: String
  }

  /// All files that are here.
  public var files: [File] {
    (fileNames(in: folder) ?? []).flatMap { place in
      (fileNames(in: "\(folder)/\(place)") ?? []).compactMap { name in
        name.hasSuffix(Self.noteSuffix)
          ? file("\(folder)/\(place)/\(name.dropLast(Self.noteSuffix.count))") : nil
      }
    }
  }

  private static let noteSuffix = ".source"

  /// What the note beside `location` says: a line with the hash, a line with the address.
  func file(_ location: String) -> File? {
    guard let size = fileSize(location),
      let note = firstBytes(of: location + Self.noteSuffix, atMost: 1 << 13)
    else { return nil }
    let lines = String(decoding: note, as: UTF8.self).split(separator: "\n")
    guard lines.count == 2, HubName.isHexadecimal(String(lines[0]), digits: 64) else { return nil }
    return File(
      url: String(lines[1]), location: location, byteCount: size, sha256: String(lines[0]))
  }

  /// Where and how `url` is fetched. Size and hash are the server's word.
  func target(_ url: String) throws(HubError) -> DownloadTarget {
    let location = try location(url)
    try makeFolder(parentFolder(location))
    return DownloadTarget(
      url: url, byteCount: nil, sha256: nil, partial: location + ".incomplete",
      lock: location + ".lock"
    ) { (partial, sha256) throws(HubError) in
      try replaceFile(location + Self.noteSuffix, with: Array("\(sha256)\n\(url)\n".utf8))
      guard rename(partial, location) == 0 else { throw .system(location) }
      try synchronizeFolder(of: location)
      return location
    }
  }

  func lock(_ url: String) throws(HubError) -> String { try location(url) + ".lock" }

  /// Everything of the file from `url` but its lock, which others may be waiting for.
  func paths(_ url: String) throws(HubError) -> [String] {
    let location = try location(url)
    return ["", Self.noteSuffix, ".incomplete", ".incomplete.etag"].map { location + $0 }
  }
}
