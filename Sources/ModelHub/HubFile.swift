/// A file of a repository on the hub at one commit, and what its bytes must be.
public struct HubFile: Hashable, Sendable {
  /// OWNER/NAME.
  public let repository: String
  /// Its path in the repository, with `/` between folders.
  public let path: String
  /// The commit, 40 lower-case hexadecimal digits.
  public let commit: String
  /// Bytes of the file.
  public let byteCount: Int
  /// 64 lower-case hexadecimal digits.
  public let sha256: String

  /// The largest file that is fetched: 1 TiB.
  public static let largest = 1 << 40

  /// - Throws: `HubError.invalidName` where a part could lead out of the cache or is not what it has
  ///   to be: names come from servers and users.
  public init(
    repository: String, path: String, commit: String, byteCount: Int, sha256: String
  ) throws(HubError) {
    self.repository = try HubName.repository(repository)
    self.path = try HubName.path(path)
    guard HubName.isHexadecimal(commit, digits: 40) else {
      throw .invalidName(commit, reason: "a commit is 40 hexadecimal digits")
    }
    guard HubName.isHexadecimal(sha256, digits: 64) else {
      throw .invalidName(sha256, reason: "a SHA-256 is 64 hexadecimal digits")
    }
    guard (1...Self.largest).contains(byteCount) else {
      throw .invalidName(path, reason: "a size of \(byteCount) bytes")
    }
    self.commit = commit
    self.byteCount = byteCount
    self.sha256 = sha256
  }

  /// The last part of `path`.
  public var name: String { String(path.split(separator: "/").last ?? "") }

  /// Where the file is fetched from.
  ///
  /// - Parameter endpoint: of the hub, without a slash at the end.
  public func url(endpoint: String) -> String {
    "\(endpoint)/\(repository)/resolve/\(commit)/\(HubName.escaped(path))"
  }
}

/// What may be part of a path in the cache. Names are refused under the rules of POSIX and of
/// Windows, before the disk is touched.
enum HubName {
  static func repository(_ name: String) throws(HubError) -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw .invalidName(name, reason: "a repository is OWNER/NAME")
    }
    for part in parts {
      try component(part, of: name)
      guard part.unicodeScalars.allSatisfy({ isWord($0) }), !part.contains("--") else {
        throw .invalidName(name, reason: "a repository has letters, digits, '.', '-' and '_'")
      }
    }
    return name
  }

  static func path(_ name: String) throws(HubError) -> String {
    guard name.utf8.count <= 512 else { throw .invalidName(name, reason: "more than 512 bytes") }
    for part in name.split(separator: "/", omittingEmptySubsequences: false) {
      try component(part, of: name)
    }
    return name
  }

  /// A branch, a tag or a commit. The hub has none with a slash but `refs/pr/N`.
  static func revision(_ name: String) throws(HubError) -> String {
    guard name.utf8.count <= 128 else { throw .invalidName(name, reason: "more than 128 bytes") }
    for part in name.split(separator: "/", omittingEmptySubsequences: false) {
      try component(part, of: name)
    }
    return name
  }

  private static func component(_ part: Substring, of name: String) throws(HubError) {
    guard !part.isEmpty, part != ".", part != "..", part.utf8.count <= 255 else {
      throw .invalidName(name, reason: "an empty part, '.' or '..'")
    }
    for scalar in part.unicodeScalars
    where scalar.value < 32 || scalar.value == 127 || "\\:*?\"<>|".unicodeScalars.contains(scalar) {
      throw .invalidName(name, reason: "a character that file names cannot have everywhere")
    }
    guard part.last != ".", part.last != " " else {
      throw .invalidName(name, reason: "a part that ends with a dot or a space")
    }
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII
      && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || scalar == "." || scalar == "-" || scalar == "_")
  }

  static func isHexadecimal(_ text: String, digits: Int) -> Bool {
    text.utf8.count == digits
      && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Percent-encodes what a URL's path cannot hold (RFC 3986, section 3.3).
  static func escaped(_ path: String) -> String {
    var result = ""
    for byte in path.utf8 {
      let scalar = Unicode.Scalar(byte)
      if isWord(scalar) || scalar == "/" || scalar == "~" {
        result.unicodeScalars.append(scalar)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }
}
