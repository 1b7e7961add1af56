import Foundation
import TestSupport
import Testing

@testable import ModelHub

/// Faults of the way and of servers, by their number in the project's list of download faults.
@Suite struct DownloadFaultTests {
  @Test(
    "D1: a connection cut at any byte goes on where it stopped", arguments: [0, 1, 16384, 299_999])
  func cut(at byte: Int) throws {
    let world = try HubWorld([byte == 0 ? ("cut-at-zero", 0) : ("cut", max(byte, 2))])
    try world.expectWhole()
    let second = byte == 0 ? nil : "bytes=\(max(byte, 2))-"
    #expect(world.ranges == [nil, second])
  }

  @Test("D2, D3: a resumed server that sends the whole file again starts the file over")
  func ignoredRange() throws {
    let world = try HubWorld([("cut", 100_000), ("ignore-range", 0)])
    try world.expectWhole()
    #expect(world.ranges == [nil, "bytes=100000-"])
  }

  @Test(
    "D4: a partial that is whole is checked and published without a request; so is one after 416")
  func completePartial() throws {
    let world = try HubWorld()
    try world.leavePartial(world.content)
    try world.expectWhole()
    #expect(world.ranges.isEmpty)

    // Of a web address the size is not known beforehand: the server is asked, and says 416.
    let store = world.library.configuration.environment.webStore
    let target = try store.target(world.webURL)
    try world.content.write(to: URL(fileURLWithPath: target.partial))
    try Data("\"\(world.file.sha256)\"".utf8)
      .write(to: URL(fileURLWithPath: target.partial + ".etag"))
    let source = try world.library.source(of: world.webURL)
    let path = try world.library.fetch(source)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == world.content)
    #expect(world.ranges == ["bytes=300000-"])
  }

  @Test("D5: a partial longer than the file is thrown away, once")
  func longPartial() throws {
    let world = try HubWorld()
    try world.leavePartial(world.content + Data(repeating: 0, count: 7))
    try world.expectWhole()
    #expect(world.ranges == [nil])
  }

  @Test("D6: bytes from another place than asked for are not taken")
  func wrongStart() throws {
    let world = try HubWorld([("cut", 100_000), ("wrong-start", 0)])
    try world.expectWhole()
    #expect(world.ranges == [nil, "bytes=100000-", nil])
    let stubborn = try HubWorld([("wrong-start", 0)], repeats: true)
    try stubborn.leavePartial(stubborn.content.prefix(1000))
    try stubborn.expectWhole()
  }

  @Test("D7: a range of a file of another length is refused, and the file started over")
  func wrongTotal() throws {
    let world = try HubWorld([("cut", 100_000), ("wrong-total", 0)])
    try world.expectWhole()
    #expect(world.ranges == [nil, "bytes=100000-", nil])
  }

  @Test("D8: a file that changed between tries is started over, never mixed")
  func changedTag() throws {
    let world = try HubWorld([("cut", 100_000), ("new-etag", "other")])
    try world.expectWhole()
    let requests = world.hub.fileRequests
    #expect(requests.map(\.range) == [nil, "bytes=100000-"])
    #expect(requests[1].if_range == "\"\(world.file.sha256)\"")
  }

  @Test("D8: of a web address, whose hash nobody knows, only the same entity tag is gone on with")
  func changedWebFile() throws {
    for (tag, fault) in [
      ("\"old\"", "none"), ("\"old\"", "ignore-condition"), ("", "none"), ("W/\"weak\"", "none"),
    ] {
      let world = try HubWorld([(fault, 0)])
      let target = try world.library.configuration.environment.webStore.target(world.webURL)
      try LoopbackHub.content(1000, seed: 9).write(to: URL(fileURLWithPath: target.partial))
      try Data(tag.utf8).write(to: URL(fileURLWithPath: target.partial + ".etag"))
      let path = try world.library.fetch(try world.library.source(of: world.webURL))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == world.content, "\(tag) \(fault)")
    }
    // 416 from a server that knows another length.
    let world = try HubWorld()
    let target = try world.library.configuration.environment.webStore.target(world.webURL)
    try (world.content + Data([1])).write(to: URL(fileURLWithPath: target.partial))
    try Data("\"\(world.file.sha256)\"".utf8)
      .write(to: URL(fileURLWithPath: target.partial + ".etag"))
    let path = try world.library.fetch(try world.library.source(of: world.webURL))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == world.content)
  }

  @Test("D1: an answer that ends early and says so is gone on with, too")
  func cleanShortEnd() throws {
    let world = try HubWorld([("shorter", 0)])
    try world.expectWhole()
    #expect(world.ranges == [nil, "bytes=150000-"])
  }

  @Test("D1: a server without ranges that breaks off for ever is given up")
  func endless() throws {
    let world = try HubWorld(size: 400_000)
    try world.hub.setFaults([("cut-from-start", 250_000)], repeats: true)
    world.expectError("transfer closed")
    // Ten without progress, less where a busy machine makes a connection fail, which counts for more; an
    // attempt that gets a little further than the one before counts anew.
    #expect((2...20).contains(world.ranges.count))
  }

  @Test("D9: without an entity tag a partial is kept, bound to the known hash")
  func noTag() throws {
    let world = try HubWorld([("no-etag", 0)])
    try world.leavePartial(world.content.prefix(120_000))
    try world.expectWhole()
    #expect(world.ranges == ["bytes=120000-"])
    #expect(world.hub.fileRequests[0].if_range == nil)
  }

  @Test("D10: a new revision's file replaces the old one only once it is here and right")
  func newRevision() throws {
    let world = try HubWorld()
    let reference = "hf:\(HubWorld.repository):Q4_0"
    let source = try world.library.source(of: reference)
    let old = try world.library.fetch(source)
    try world.hub.write(Data(String(repeating: "d", count: 40).utf8), to: "commit")
    let new = LoopbackHub.content(200_000, seed: 2)
    try world.hub.write(new, to: "\(HubWorld.repository)/\(HubWorld.path)")
    try world.hub.setFaults([("wrong-bytes", 0)], repeats: true)
    #expect(throws: HubError.self) { try world.library.fetch(source, refreshes: true) }
    #expect(try world.library.path(of: source) == old)
    try world.hub.setFaults([])
    let path = try world.library.fetch(source, refreshes: true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == new)
    #expect(try world.library.path(of: source) == path)
    #expect(FileManager.default.fileExists(atPath: old))
  }

  @Test("D11: bytes with another hash are fetched once more, then refused with both hashes")
  func wrongBytes() throws {
    try HubWorld([("wrong-bytes", 0)]).expectWhole()
    let world = try HubWorld(sha256: String(repeating: "a", count: 64))
    world.expectError("SHA-256 aaaa", HubWorld.hash(world.content))
    #expect(world.ranges == [nil, nil])
    #expect(!FileManager.default.fileExists(atPath: world.cache.partial(world.file)))
  }

  @Test("D12: a body longer than the file is stopped and refused")
  func longer() throws {
    let world = try HubWorld([("longer", 0)], repeats: true)
    world.expectError("more than 300000 bytes")
    try HubWorld([("longer", 0)]).expectWhole()
  }

  @Test("D13: a body of unannounced length is taken")
  func noLength() throws { try HubWorld([("no-length", 0)]).expectWhole() }

  @Test("D14: nothing compressed is asked for, and what is compressed all the same is decoded")
  func compressed() throws {
    let world = try HubWorld([("gzip", 0)])
    try world.expectWhole()
    #expect(world.hub.fileRequests[0].encoding == "identity")
  }

  @Test("D15: a small body that unpacks to a large one is stopped at the file's size")
  func bomb() throws {
    let world = try HubWorld([("bomb", 100_000_000)], repeats: true)
    world.expectError("more than 300000 bytes")
    let manifest = try HubWorld()
    try manifest.hub.write(Data(repeating: 0x20, count: 20 << 20), to: "api-answer")
    #expect(throws: HubError.self) {
      try manifest.library.fetch(try manifest.library.source(of: "hf:owner/model-GGUF"))
    }
  }

  @Test("D16: a page in place of the file is refused, and the message has its first line")
  func page() throws {
    try HubWorld([("page", 0)], repeats: true).expectError("\"<html><b>please log in</b>\"")
    try HubWorld([("page", 0)]).expectWhole()
  }

  @Test("D17: what is forbidden or missing is not tried again", arguments: [401, 403, 404, 410])
  func refused(status: Int) throws {
    let world = try HubWorld([("status", status)], repeats: true)
    world.expectError("\(status)", [404: "no such file", 410: "410"][status] ?? "HF_TOKEN")
    #expect(world.ranges.count == 1)
  }

  @Test("D18: what may pass is tried again", arguments: [408, 429, 500, 502, 503, 504, 522, 524])
  func passing(status: Int) throws {
    let world = try HubWorld([("status", status), ("status", status)])
    try world.expectWhole()
    #expect(world.ranges.count == 3)
  }

  @Test("D18: tries are few, and Retry-After is heeded within bounds")
  func tries() throws {
    let world = try HubWorld([("status", 503)], repeats: true)
    world.expectError("503")
    #expect(world.ranges.count == 5)
    let polite = try HubWorld([("retry-after", 1)])
    let start = Date()
    try polite.expectWhole()
    #expect(Date().timeIntervalSince(start) > 0.9)
    let greedy = try HubWorld([("retry-after", 3600)])
    greedy.library.downloader.longestPause = 0.1
    try greedy.expectWhole()
  }

  @Test("D19: a busy or absent hub does not keep a cached model from being used")
  func cachedDespiteFaults() throws {
    let world = try HubWorld()
    let source = try world.library.source(of: "hf:owner/model-GGUF")
    let path = try world.library.fetch(source)
    try world.hub.write(Data("nonsense".utf8), to: "api-answer")
    #expect(try world.library.fetch(source, refreshes: true) == path)
    let dead = HubWorld.library(
      world.hub.variables.merging(["HF_ENDPOINT": "http://127.0.0.1:9"]) { $1 })
    #expect(try dead.fetch(source, refreshes: true) == path)
    world.hub.forgetRequests()
    #expect(try world.library.fetch(source) == path)
    #expect(world.hub.requests.isEmpty)
  }

  @Test("D19: what is here of one file is used though the branch has moved on with another")
  func olderSnapshot() throws {
    let world = try HubWorld()
    let old = try world.library.fetch(try world.library.source(of: "hf:owner/model-GGUF:Q4_0"))
    try world.hub.write(Data(String(repeating: "d", count: 40).utf8), to: "commit")
    try world.hub.write(LoopbackHub.content(1000, seed: 3), to: "owner/model-GGUF/model-Q8_0.gguf")
    let new = try world.library.fetch(try world.library.source(of: "hf:owner/model-GGUF:Q8_0"))
    #expect(new.contains("dddd"))
    world.hub.forgetRequests()
    #expect(
      try world.library.fetch(try world.library.source(of: "hf:owner/model-GGUF:Q4_0")) == old)
    #expect(world.hub.requests.isEmpty)
  }

  @Test("D20: a stalled transfer is given up after the time that is set, and resumed")
  func stall() throws {
    let world = try HubWorld([("stall", 50_000)], variables: ["HF_HUB_DOWNLOAD_TIMEOUT": "1"])
    let start = Date()
    try world.expectWhole()
    // libcurl looks at the speed of the last five seconds.
    #expect(Date().timeIntervalSince(start) < 12)
    #expect(world.ranges == [nil, "bytes=50000-"])
  }

  @Test("D21: a trickle is given up; all tries together have a limit where one is set")
  func trickle() throws {
    let world = try HubWorld(
      [("trickle", 0.02)], repeats: true, variables: ["HF_HUB_DOWNLOAD_TIMEOUT": "1"])
    world.library.downloader.limits.totalSeconds = 3
    let start = Date()
    world.expectError("too slow")
    #expect(Date().timeIntervalSince(start) < 15)
  }

  @Test("D22: no server, no such host: said in words, after few tries, within seconds")
  func noConnection() throws {
    for endpoint in ["http://127.0.0.1:9", "http://no-such-host.invalid"] {
      let world = try HubWorld(variables: ["HF_ENDPOINT": endpoint])
      world.expectError("scripts/model")
    }
    #expect(TransferLimits().connectSeconds <= 10)
  }

  @Test("D23: a certificate that nobody vouches for is refused at once")
  func certificate() throws {
    let pem = try Data(contentsOf: Fixtures.root.appendingPathComponent("Fixtures/self-signed.pem"))
    let content = LoopbackHub.content(1000)
    let hub = try LoopbackHub([
      "certificate.pem": pem, "\(HubWorld.repository)/\(HubWorld.path)": content,
    ])
    let library = HubWorld.library(
      hub.variables.merging(["HF_ENDPOINT": "https://127.0.0.1:\(hub.port)"]) { $1 })
    let file = try HubFile(
      repository: HubWorld.repository, path: HubWorld.path, commit: LoopbackHub.commit,
      byteCount: content.count, sha256: HubWorld.hash(content))
    let start = Date()
    do {
      _ = try library.fetch(.init(title: "model", place: .pinned(file), id: nil))
      Issue.record("it was published")
    } catch { #expect("\(error)".contains("certificate"), "\(error)") }
    #expect(Date().timeIntervalSince(start) < 2)
    #expect(hub.requests.isEmpty)
  }

  @Test("D24: a redirect to another host is followed, and the token stays behind")
  func otherHost() throws {
    let other = try HubWorld()
    let world = try HubWorld(
      [("redirect", "http://localhost:\(other.hub.port)/\(HubWorld.repository)/\(HubWorld.path)")],
      variables: ["HF_TOKEN": "hf_secret"])
    try world.expectWhole()
    #expect(world.hub.fileRequests.map(\.auth) == ["Bearer hf_secret"])
    #expect(other.hub.fileRequests.map(\.auth) == [nil])
  }

  @Test("D24: a token goes to the endpoint alone, not to another web address")
  func tokenAtHome() throws {
    let other = try HubWorld()
    let library = HubWorld.library([
      "HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_secret", "HOME": other.hub.folder.path,
    ])
    _ = try library.fetch(try library.source(of: other.webURL))
    #expect(other.hub.fileRequests.map(\.auth) == [nil])
  }

  @Test(
    "D25: redirects lead to the web alone, and never from https to http",
    arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"])
  func otherProtocols(target: String) throws {
    let world = try HubWorld([("redirect", target)], repeats: true)
    world.expectError("not supported or disabled")
    #expect(world.ranges.count == 1)
    #expect(HTTPTransfer.protocols(for: "https://host/x") == "https")
    #expect(HTTPTransfer.protocols(for: "HTTPS://host/x") == "https")
  }

  @Test("D26: a circle of redirects ends after ten")
  func circle() throws {
    let world = try HubWorld([("loop", 0)], repeats: true)
    world.expectError("redirects")
    #expect(world.ranges.count == 11)
  }

  @Test("D27: a realm on another host is not asked, and gets no token")
  func realm() throws {
    let other = try HubWorld()
    let world = try HubWorld(
      [("realm", "\(other.hub.endpoint)/token")], repeats: true,
      variables: ["HF_TOKEN": "hf_secret"])
    world.expectError("401")
    #expect(other.hub.requests.isEmpty)
  }

  @Test("D1 to D16 at random: 1000 runs with seeded faults publish no wrong file")
  func random() throws {

    var published = 0
    let world = try HubWorld(size: 40_000, seed: 7)
    world.library.downloader.firstPause = 0.001
    world.library.downloader.longestPause = 0.002
    for run in 0..<1000 {
      if let path = try? world.fetch() {
        published += 1
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes == world.content, "run \(run)")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.removeItem(atPath: world.cache.blob(world.file))
      } else {
        #expect(!world.isPublished, "run \(run)")
      }
    }
    // Faults pass: nearly every run ends with the file, if not the first then a later one.
    #expect(published > 500, "\(published)")
  }
}
