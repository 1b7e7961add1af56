#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the Hugging Face hub is and where its files are kept, by the variables that huggingface_hub
/// documents.
public struct HubEnvironment: Sendable {
  /// Folder of the cache: `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or under the user's cache folder.
  public var cacheFolder: String
  /// `HF_ENDPOINT`, without a slash at the end.
  public var endpoint: String
  /// `HF_TOKEN`; never printed.
  public var token: String?
  /// `HF_HUB_OFFLINE`: no connection is made.
  public var isOffline: Bool

  /// Reads the variables from `variables`.
  public init(_ variables: [String: String]) {
    func value(_ name: String) -> String? {
      variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    let cache = value("XDG_CACHE_HOME") ?? (value("HOME") ?? "") + "/.cache"
    let home = value("HF_HOME") ?? cache + "/huggingface"
    cacheFolder = value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") ?? home + "/hub"
    var endpoint = value("HF_ENDPOINT") ?? "https://huggingface.co"
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    self.endpoint = endpoint
    token = value("HF_TOKEN")
    isOffline = ["1", "ON", "YES", "TRUE"].contains(value("HF_HUB_OFFLINE")?.uppercased() ?? "")
  }

  /// Of this process.
  public static var current: HubEnvironment {
    var variables: [String: String] = [:]
    for name in [
      "HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT",
      "HF_TOKEN", "HF_HUB_OFFLINE",
    ] {
      if let value = getenv(name) { variables[name] = String(cString: value) }
    }
    return HubEnvironment(variables)
  }
}
