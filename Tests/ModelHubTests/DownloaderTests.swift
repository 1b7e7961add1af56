import Crypto
import Foundation
import TestSupport
import Testing

@testable import ModelHub

/// Downloads from a real server on loopback that does one thing wrong.
@Suite struct DownloaderTests {
  /// A folder, a file to serve, and a server for it; gone at the end of the test.
  private final class World {
    let folder: URL
    let content: Data
    let entry: CatalogueEntry
    let downloader: Downloader
    private let server = Process()
    /// The server ends when this is closed, at the latest with the test process.
    private let lifeline = Pipe()

    init(_ fault: String, variables: [String: String] = [:], sha256: String? = nil) throws {
      folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var random = SeededGenerator(seed: 1)
      content = Data((0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) })
      let file = folder.appendingPathComponent("served")
      try content.write(to: file)

      let output = Pipe()
      server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      server.arguments = [
        "python3",
        Fixtures.root.appendingPathComponent("Tests/ModelHubTests/faulty_server.py").path, fault,
        file.path, folder.appendingPathComponent("log").path,
      ]
      server.standardOutput = output
      server.standardInput = lifeline
      server.standardError = FileHandle.nullDevice
      try server.run()
      let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))

      let hash = SHA256.hash(data: content).map { String(format: "%02x", $0) }.joined()
      entry = CatalogueEntry(
        id: "Owner/Model", shortName: "model", name: "Model", description: "",
        repository: "owner/model-GGUF", fileName: "model.gguf",
        revision: "0123456789012345678901234567890123456789", byteCount: content.count,
        sha256: sha256 ?? hash)
      var all = [
        "HF_ENDPOINT": "http://127.0.0.1:\(port)/", "HOME": folder.path,
        "HF_HUB_CACHE": folder.appendingPathComponent("hub").path,
      ]
      all.merge(variables) { $1 }
      var downloader = Downloader(HubEnvironment(all))
      downloader.firstPause = 0.01
      self.downloader = downloader
    }

    deinit {
      server.terminate()
      try? FileManager.default.removeItem(at: folder)
    }

    func fetch() throws -> String { try downloader.fetch(entry) { _ in true } }

    /// What the server was asked, one line a request.
    var requests: [String] {
      let log = try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)
      return (log ?? "").split(separator: "\n").map(String.init)
    }

    /// Whether the final names are there.
    var isPublished: Bool {
      let files = FileManager.default
      return files.fileExists(atPath: downloader.cache.snapshot(entry))
        || files.fileExists(atPath: downloader.cache.blob(entry))
    }

    func expectWhole() throws {
      let path = try fetch()
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
      #expect(!FileManager.default.fileExists(atPath: downloader.cache.partial(entry)))
    }
  }

  @Test("a file is fetched once, found by its hub path, and never fetched again")
  func once() throws {
    let world = try World("none")
    try world.expectWhole()
    try world.expectWhole()
    #expect(world.requests == ["- auth=-"])
    let link = try FileManager.default.destinationOfSymbolicLink(
      atPath: world.downloader.cache.snapshot(world.entry))
    #expect(link == "../../blobs/\(world.entry.sha256)")
  }

  @Test("a connection that is cut goes on where it stopped")
  func resume() throws {
    let world = try World("cut-once")
    try world.expectWhole()
    #expect(world.requests == ["- auth=-", "bytes=100000- auth=-"])
  }

  @Test("a partial file of another process is taken up; a wrong or too long one is not trusted")
  func partials() throws {
    for (bytes, requests) in [
      (300_000 / 2, 1), (300_000, 0), (300_007, 1),
    ] {
      let world = try World("none")
      try world.downloader.cache.prepare(world.entry)
      let partial = world.content + Data(repeating: 0, count: 10)
      try partial.prefix(bytes).write(
        to: URL(fileURLWithPath: world.downloader.cache.partial(world.entry)))
      try world.expectWhole()
      #expect(world.requests.count == requests, "\(bytes)")
    }
    let world = try World("none")
    try world.downloader.cache.prepare(world.entry)
    try Data(repeating: 7, count: 1000).write(
      to: URL(fileURLWithPath: world.downloader.cache.partial(world.entry)))
    try world.expectWhole()
    #expect(world.requests == ["bytes=1000- auth=-", "- auth=-"])
  }

  @Test(
    "faults that pass end with the right file",
    arguments: ["busy-once", "cut-ignore-range", "wrong-once"])
  func passingFaults(fault: String) throws { try World(fault).expectWhole() }

  @Test(
    "faults that stay publish nothing and say what came",
    arguments: ["missing", "page", "wrong-bytes", "longer", "to-file", "loop", "cut-wrong-range"])
  func lastingFaults(fault: String) throws {
    let world = try World(fault)
    #expect(throws: HubError.self) { try world.fetch() }
    #expect(!world.isPublished)
  }

  @Test("bytes with another hash than the pinned one are never published")
  func wrongHash() throws {
    let world = try World("none", sha256: String(repeating: "a", count: 64))
    do {
      _ = try world.fetch()
      Issue.record("published")
    } catch let error as HubError {
      #expect("\(error)".contains("expected 300000 bytes of SHA-256 aaaa"))
    }
    #expect(!world.isPublished)
    #expect(world.requests.count == 2)
  }

  @Test("offline, nothing is asked; no server is said in words")
  func noNetwork() throws {
    let offline = try World("none", variables: ["HF_HUB_OFFLINE": "1"])
    #expect(throws: HubError.offline(model: "model")) { try offline.fetch() }
    #expect(offline.requests.isEmpty)
    let dead = try World("none", variables: ["HF_ENDPOINT": "http://127.0.0.1:9"])
    do {
      _ = try dead.fetch()
      Issue.record("fetched")
    } catch { #expect("\(error)".contains("scripts/model")) }
  }

  @Test("cancelling keeps what came, and the next try goes on from there")
  func cancelling() throws {
    let world = try World("none")
    #expect(throws: HubError.cancelled) {
      try world.downloader.fetch(world.entry) { $0.receivedBytes < 1000 }
    }
    #expect(!world.isPublished)
    try world.expectWhole()
  }

  @Test("a token goes to the endpoint as a bearer")
  func token() throws {
    let world = try World("none", variables: ["HF_TOKEN": "hf_secret"])
    try world.expectWhole()
    #expect(world.requests == ["- auth=Bearer hf_secret"])
  }

  @Test("unknown names get the nearest known ones")
  func names() {
    #expect(Catalogue.entry("SMOLLM2-360M")?.id == "HuggingFaceTB/SmolLM2-360M-Instruct")
    #expect(Catalogue.entry("HuggingFaceTB/SmolLM2-135M-Instruct")?.shortName == "smollm2-135m")
    #expect(Catalogue.nearest(to: "smolm360").first == "smollm2-360m")
  }

  @Test("the cache folder is the one that huggingface_hub uses")
  func cacheFolder() {
    #expect(HubEnvironment(["HOME": "/h"]).cacheFolder == "/h/.cache/huggingface/hub")
    #expect(HubEnvironment(["XDG_CACHE_HOME": "/x"]).cacheFolder == "/x/huggingface/hub")
    #expect(HubEnvironment(["HF_HOME": "/y"]).cacheFolder == "/y/hub")
    #expect(HubEnvironment(["HF_HOME": "/y", "HF_HUB_CACHE": "/z"]).cacheFolder == "/z")
  }
}
