#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the Hugging Face hub is and where files are kept, by the variables that huggingface_hub
/// documents and the XDG base directories.
public struct HubEnvironment: Sendable, Equatable {
  /// Folder of the cache: `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or under the user's cache folder.
  public var cacheFolder: String
  /// Folder of files from elsewhere: `swiftlet/web` in the user's cache folder.
  public var webFolder: String
  /// What `swiftlet tune` measured: `swiftlet/tuning.json` in the user's cache folder.
  public var tuningFile: String
  /// `SWIFTLET_CONFIG`, or `swiftlet/config.json` in the user's configuration folder.
  public var configurationFile: String
  /// `HF_ENDPOINT`, without a slash at the end.
  public var endpoint: String
  /// `HF_TOKEN`, or what the file has that `hf auth login` writes; never printed.
  public var token: String?
  /// Whether `token` is that of the file, which is the hub's own and no other host's.
  public internal(set) var hasLoginToken = false
  /// `HF_HUB_OFFLINE`: no connection is made.
  public var isOffline: Bool
  /// `HF_HUB_DOWNLOAD_TIMEOUT`: seconds without bytes after which a transfer is given up.
  public var stallSeconds: Int?
  /// All variables that settings are read from.
  let variables: [String: String]

  /// Where the public hub is.
  public static let publicEndpoint = "https://huggingface.co"

  /// Reads the variables from `variables`.
  public init(_ variables: [String: String]) {
    func value(_ name: String) -> String? {
      variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    func isSet(_ name: String) -> Bool {
      ["1", "ON", "YES", "TRUE"].contains(value(name)?.uppercased() ?? "")
    }
    self.variables = variables
    let userHome = value("HOME") ?? ""
    func folder(_ name: String) -> String? {
      value(name).map { $0 == "~" || $0.hasPrefix("~/") ? userHome + $0.dropFirst() : $0 }
    }
    let cache = folder("XDG_CACHE_HOME") ?? userHome + "/.cache"
    let home = folder("HF_HOME") ?? cache + "/huggingface"
    cacheFolder = folder("HF_HUB_CACHE") ?? folder("HUGGINGFACE_HUB_CACHE") ?? home + "/hub"
    webFolder = cache + "/swiftlet/web"
    tuningFile = cache + "/swiftlet/tuning.json"
    configurationFile =
      folder("SWIFTLET_CONFIG")
      ?? (folder("XDG_CONFIG_HOME") ?? userHome + "/.config") + "/swiftlet/config.json"
    endpoint = Self.withoutSlashes(value("HF_ENDPOINT") ?? Self.publicEndpoint)
    token = value("HF_TOKEN").map { String($0.filter { !$0.isWhitespace }) }
    if token == nil, !isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
      token = Self.firstLine(of: folder("HF_TOKEN_PATH") ?? home + "/token")
      hasLoginToken = token != nil
    }
    isOffline = isSet("HF_HUB_OFFLINE")
    stallSeconds = value("HF_HUB_DOWNLOAD_TIMEOUT").flatMap { Int($0) }
      .map { min(max($0, 1), 86_400) }
  }

  /// The user's home folder.
  var home: String { variables["HOME"] ?? "" }

  /// Of this process.
  public static let current: HubEnvironment = {
    var variables: [String: String] = [:]
    for name in [
      "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "HF_HUB_CACHE",
      "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH",
      "HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_DOWNLOAD_TIMEOUT",
      "SWIFTLET_CONFIG", "SWIFTLET_MODEL", "SWIFTLET_THREADS", "SWIFTLET_BATCH_SIZE",
    ] {
      if let value = getenv(name) { variables[name] = String(cString: value) }
    }
    return HubEnvironment(variables)
  }()

  /// The cache of the hub's files.
  public var cache: HubCache { HubCache(folder: cacheFolder) }
  /// The store of files from plain URLs.
  public var webStore: WebStore { WebStore(folder: webFolder) }

  /// Bytes that this user may still write in the cache; nil where the system does not say.
  public var freeBytes: Int? { FileCalls().freeBytes(cacheFolder) }

  static func withoutSlashes(_ endpoint: String) -> String {
    var endpoint = endpoint
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    return endpoint
  }

  private static func firstLine(of path: String) -> String? {
    let line = (firstBytes(of: path, atMost: 1024) ?? []).prefix { $0 > 0x20 && $0 < 0x7F }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }
}
