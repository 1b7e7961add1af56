import Crypto
import Foundation
import TestSupport
import Testing

@testable import ModelHub

/// A loopback hub that serves one file, and a library that knows it.
final class HubWorld {
  static let repository = "owner/model-GGUF"
  static let path = "model-Q4_0.gguf"

  let hub: LoopbackHub
  let content: Data
  let file: HubFile
  var library: ModelLibrary

  init(
    _ faults: [(String, Any)] = [], repeats: Bool = false, size: Int = 300_000,
    seed: Int? = nil, sha256: String? = nil, variables: [String: String] = [:]
  ) throws {
    content = LoopbackHub.content(size)
    hub = try LoopbackHub(["\(Self.repository)/\(Self.path)": content], seed: seed)
    try hub.setFaults(faults, repeats: repeats)
    file = try HubFile(
      repository: Self.repository, path: Self.path, commit: LoopbackHub.commit,
      byteCount: content.count, sha256: sha256 ?? Self.hash(content))
    library = Self.library(hub.variables.merging(variables) { $1 })
  }

  static func library(_ variables: [String: String]) -> ModelLibrary {
    var library = ModelLibrary(Configuration(environment: HubEnvironment(variables)))
    library.downloader.firstPause = 0.01
    library.downloader.longestPause = 2
    return library
  }

  static func hash(_ data: Data) -> String {
    SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
  }

  var cache: HubCache { library.configuration.environment.cache }
  var source: ModelLibrary.Source {
    ModelLibrary.Source(title: "model", place: .pinned(file), id: nil)
  }
  var webURL: String { "\(hub.endpoint)/\(Self.repository)/\(Self.path)" }

  func fetch() throws -> String { try library.fetch(source) }

  /// Whether a final name is there.
  var isPublished: Bool {
    [cache.snapshot(file), cache.blob(file)].contains { FileManager.default.fileExists(atPath: $0) }
  }

  /// Leaves a broken-off download behind.
  func leavePartial(_ bytes: Data, etag: String? = nil) throws {
    try cache.prepare(file)
    try bytes.write(to: URL(fileURLWithPath: cache.partial(file)))
    if let etag {
      try Data(etag.utf8).write(to: URL(fileURLWithPath: cache.partial(file) + ".etag"))
    }
  }

  /// Fetches, and looks at every byte and at what is left beside them.
  func expectWhole() throws {
    let path = try fetch()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
    #expect(!FileManager.default.fileExists(atPath: cache.partial(file)))
    #expect(!FileManager.default.fileExists(atPath: cache.partial(file) + ".etag"))
  }

  /// Fetches in vain: nothing is published, and the message has each of `words`.
  func expectError(_ words: String...) {
    do {
      _ = try fetch()
      Issue.record("it was published")
    } catch {
      for word in words { #expect("\(error)".contains(word), "\(error)") }
    }
    #expect(!isPublished)
  }

  /// Where each request for the file wanted its bytes from.
  var ranges: [String?] { hub.fileRequests.map(\.range) }
}
