import CCurl

/// What can be said of the way to the hub, for diagnosis.
public enum Connectivity {
  static let missingLibrary = "libcurl is not installed (Debian's libcurl4)"

  /// libcurl's own description of itself; nil where it is not installed.
  public static var libraryVersion: String? { Curl.shared?.version }

  /// Asks the endpoint for an answer of any kind, for at most 10 seconds.
  ///
  /// - Returns: nil where there was one, else the reason.
  public static func fault(_ environment: HubEnvironment = .current) -> String? {
    guard let curl = Curl.shared else { return missingLibrary }
    guard let handle = curl.makeHandle() else { return "libcurl does not start" }
    defer { curl.cleanUp(handle) }
    curl.set(handle, CURLOPT_URL, environment.endpoint)
    curl.set(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    curl.set(handle, CURLOPT_NOBODY, 1)
    curl.set(handle, CURLOPT_NOSIGNAL, 1)
    curl.set(handle, CURLOPT_TIMEOUT, 10)
    let code = curl.perform(handle)
    return code == CURLE_OK ? nil : curl.reason(code)
  }
}
