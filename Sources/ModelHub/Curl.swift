import CCurl
import SystemLibraries

/// libcurl, loaded when it is first needed: with all that it needs itself, it would be a good part of the time
/// that a program takes to start.
struct Curl: Sendable {
  typealias Handle = UnsafeMutableRawPointer
  typealias List = UnsafeMutablePointer<curl_slist>

  /// nil where it is not installed.
  static let shared = Curl()

  private let initialize: @convention(c) () -> Handle?
  private let clean: @convention(c) (Handle) -> Void
  private let run: @convention(c) (Handle) -> CURLcode
  private let describe: @convention(c) (CURLcode) -> UnsafePointer<CChar>
  private let append: @convention(c) (List?, UnsafePointer<CChar>) -> List?
  private let free: @convention(c) (List?) -> Void
  private let describeItself: @convention(c) () -> UnsafePointer<CChar>
  /// Variadic, which Swift cannot call: see `Sources/CCurl/shim.h`.
  private let setOption: swiftlet_curl_variadic
  private let getInfo: swiftlet_curl_variadic

  private init?() {
    guard let library = SystemLibrary("libcurl.so.4", "/usr/lib/libcurl.4.dylib") else {
      return nil
    }
    guard
      let initialize = library.function("curl_easy_init", as: (@convention(c) () -> Handle?).self),
      let clean = library.function("curl_easy_cleanup", as: (@convention(c) (Handle) -> Void).self),
      let run = library.function(
        "curl_easy_perform", as: (@convention(c) (Handle) -> CURLcode).self),
      let describe = library.function(
        "curl_easy_strerror", as: (@convention(c) (CURLcode) -> UnsafePointer<CChar>).self),
      let append = library.function(
        "curl_slist_append",
        as: (@convention(c) (List?, UnsafePointer<CChar>) -> List?).self),
      let free = library.function("curl_slist_free_all", as: (@convention(c) (List?) -> Void).self),
      let describeItself = library.function(
        "curl_version", as: (@convention(c) () -> UnsafePointer<CChar>).self),
      let setOption = library.function("curl_easy_setopt", as: swiftlet_curl_variadic.self),
      let getInfo = library.function("curl_easy_getinfo", as: swiftlet_curl_variadic.self)
    else { return nil }
    (self.initialize, self.clean, self.run) = (initialize, clean, run)
    (self.describe, self.append, self.free) = (describe, append, free)
    (self.describeItself, self.setOption, self.getInfo) = (describeItself, setOption, getInfo)
  }

  /// A handle for one transfer after another, to be given to `cleanUp`; nil where there is no memory.
  func makeHandle() -> Handle? { initialize() }
  func cleanUp(_ handle: Handle) { clean(handle) }
  func perform(_ handle: Handle) -> CURLcode { run(handle) }

  func set(_ handle: Handle, _ option: CURLoption, _ value: String) {
    _ = swiftlet_curl_set_string(setOption, handle, option, value)
  }
  func set(_ handle: Handle, _ option: CURLoption, _ value: Int) {
    _ = swiftlet_curl_set_long(setOption, handle, option, value)
  }
  func set(_ handle: Handle, _ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
    _ = swiftlet_curl_set_pointer(setOption, handle, option, pointer)
  }
  func set(_ handle: Handle, _ option: CURLoption, call: @escaping swiftlet_curl_data) {
    _ = swiftlet_curl_set_data(setOption, handle, option, call)
  }
  func set(_ handle: Handle, progress: @escaping swiftlet_curl_progress) {
    _ = swiftlet_curl_set_progress(setOption, handle, progress)
  }
  /// The token goes out as a bearer token and, unlike a header, to no other host.
  func set(_ handle: Handle, bearer token: String) {
    set(handle, CURLOPT_HTTPAUTH, Int(swiftlet_curl_auth_bearer))
    set(handle, CURLOPT_XOAUTH2_BEARER, token)
  }

  func responseCode(_ handle: Handle) -> Int { Int(swiftlet_curl_response_code(getInfo, handle)) }

  /// A list of one text, to be given to `freeList` after the transfer.
  func makeList(_ text: String) -> List? { append(nil, text) }
  func freeList(_ list: List?) { free(list) }

  /// In libcurl's words.
  func reason(_ code: CURLcode) -> String { String(cString: describe(code)) }
  var version: String { String(cString: describeItself()) }
}
