import CCurl

/// What can be said of the way to the hub, for diagnosis.
public enum Connectivity {
  /// libcurl's own description of itself.
  public static var libraryVersion: String { String(cString: curl_version()) }

  /// Asks the endpoint for an answer of any kind, for at most 10 seconds.
  ///
  /// - Returns: nil where there was one, else the reason.
  public static func fault(_ environment: HubEnvironment = .current) -> String? {
    guard let handle = curl_easy_init() else { return "libcurl does not start" }
    defer { curl_easy_cleanup(handle) }
    _ = swiftlet_curl_set_string(handle, CURLOPT_URL, environment.endpoint)
    _ = swiftlet_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    _ = swiftlet_curl_set_long(handle, CURLOPT_NOBODY, 1)
    _ = swiftlet_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
    _ = swiftlet_curl_set_long(handle, CURLOPT_TIMEOUT, 10)
    let code = curl_easy_perform(handle)
    return code == CURLE_OK ? nil : String(cString: curl_easy_strerror(code))
  }
}
