import Foundation
import TestSupport
import Testing

@testable import ModelHub

/// Faults of disks, names and the cache, by their number in the project's list of download faults.
@Suite struct CacheFaultTests {
  @Test("D29: a damaged partial, or a damaged note of its tag, costs a restart and nothing else")
  func damagedState() throws {
    for tag in ["", "\"", "\"half", "W/\"weak\"", "\"a\nb\"", String(repeating: "x", count: 5000)] {
      let world = try HubWorld()
      try world.leavePartial(world.content.prefix(1000), etag: tag)
      try world.expectWhole()
      #expect(world.hub.fileRequests[0].if_range == nil)
    }
    let zeros = try HubWorld()
    try zeros.leavePartial(Data(repeating: 0, count: 1000))
    try zeros.expectWhole()
    let empty = try HubWorld()
    try empty.leavePartial(Data(), etag: "\"tag\"")
    try empty.expectWhole()
    #expect(empty.ranges == [nil])
  }

  @Test("D31: where locks do nothing, each process has a partial of its own")
  func locksThatDoNothing() throws {
    for status: Int32 in [0, -1] {
      let world = try HubWorld()
      world.library.downloader.calls.lock = { _, _ in
        errno = ENOLCK
        return status
      }
      // Another process's partial, which must be left alone.
      try world.leavePartial(world.content.prefix(1000))
      let path = try world.fetch()
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == world.content)
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: world.cache.partial(world.file))).count == 1000)
      #expect(world.ranges == [nil])
    }
  }

  @Test(
    "D33: a disk that fills up is said with both numbers; what came is kept, nothing is retried")
  func fullDisk() throws {
    let world = try HubWorld()
    let room = Room(100_000)
    world.library.downloader.calls.write = { room.write($0, $1, $2) }
    world.expectError("bytes needed", "free")
    #expect(world.ranges.count == 1)
    world.library.downloader.calls = FileCalls()
    try world.expectWhole()
    #expect(world.ranges == [nil, "bytes=100000-"])
  }

  /// A disk with room for so many bytes.
  private final class Room: @unchecked Sendable {
    // @unchecked Sendable: one download writes at a time.
    private var left: Int
    init(_ bytes: Int) { left = bytes }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
      guard left > 0 else {
        errno = ENOSPC
        return -1
      }
      let written = FileCalls().write(descriptor, bytes, min(count, left))
      left -= written
      return written
    }
  }

  @Test("D34: a file that does not fit is not begun")
  func noRoom() throws {
    let world = try HubWorld()
    world.library.downloader.calls.freeBytes = { _ in 299_999 }
    world.expectError("300000 bytes needed, 299999 free")
    #expect(world.ranges.isEmpty)
  }

  @Test("D35: short writes and interrupted ones are gone on with; a broken disk is said")
  func writes() throws {
    let world = try HubWorld()
    let turns = Turns()
    world.library.downloader.calls.write = { descriptor, bytes, count in
      guard turns.next() % 3 != 0 else {
        errno = EINTR
        return -1
      }
      return FileCalls().write(descriptor, bytes, min(count, 1000))
    }
    try world.expectWhole()
    for keyPath in [0, 1] {
      let broken = try HubWorld()
      if keyPath == 0 {
        broken.library.downloader.calls.write = { _, _, _ in
          errno = EIO
          return -1
        }
      } else {
        broken.library.downloader.calls.synchronize = { _ in
          errno = EIO
          return -1
        }
      }
      broken.expectError("nput/output error")
    }
  }

  private final class Turns: @unchecked Sendable {
    // @unchecked Sendable: one download writes at a time.
    private var count = 0
    func next() -> Int {
      count += 1
      return count
    }
  }

  @Test("D36: a partial lies beside its file; a place that cannot be written to is said")
  func places() throws {
    let world = try HubWorld()
    #expect(
      parentFolder(world.cache.partial(world.file)) == parentFolder(world.cache.blob(world.file)))
    try FileManager.default.createDirectory(
      atPath: world.cache.blob(world.file), withIntermediateDirectories: true)
    do {
      _ = try world.fetch()
      Issue.record("it was published")
    } catch { #expect("\(error)".contains(world.file.sha256), "\(error)") }
    for cache in ["/proc/hub", "/dev/null/hub"] {
      let readOnly = try HubWorld(variables: ["HF_HUB_CACHE": cache])
      readOnly.expectError(cache)
      #expect(readOnly.ranges.isEmpty)
    }
  }

  static let hostilePaths = [
    "../x.gguf", "a/../../x.gguf", "/etc/x.gguf", "C:/x.gguf", "C:\\x.gguf", "\\\\host\\x.gguf",
    "a\\x.gguf", "a\u{0}x.gguf", "a//x.gguf", ".", "..", "", "x.gguf/", "a/./x.gguf", "con. ",
    "x\n.gguf", String(repeating: "a", count: 300), "a|b.gguf", "x.gguf.",
  ]

  @Test(
    "D37: names that lead out of the cache are refused before the disk is touched",
    arguments: hostilePaths)
  func hostileNames(path: String) throws {
    let hash = String(repeating: "a", count: 64)
    #expect(throws: HubError.self) {
      try HubFile(
        repository: "owner/name", path: path, commit: LoopbackHub.commit, byteCount: 1, sha256: hash
      )
    }
    for repository in [path, "owner/\(path)", "\(path)/name", "a/b/c", "a", "a--b/c", "ä/b"] {
      #expect(throws: HubError.self) {
        try HubFile(
          repository: repository, path: "x.gguf", commit: LoopbackHub.commit, byteCount: 1,
          sha256: hash)
      }
    }
    #expect(throws: HubError.self) { try ModelReference("hf:owner/name@" + path) }
    // A server that says so is not believed either.
    let world = try HubWorld()
    let answer: [String: Any] = [
      "sha": LoopbackHub.commit,
      "siblings": [["rfilename": path + ".gguf", "lfs": ["size": 10, "sha256": hash]]],
    ]
    try world.hub.write(try JSONSerialization.data(withJSONObject: answer), to: "api-answer")
    if (try? HubName.path(path + ".gguf")) == nil {
      #expect(throws: HubError.self) {
        try world.library.fetch(try world.library.source(of: "hf:owner/model-GGUF"))
      }
      #expect(!FileManager.default.fileExists(atPath: world.cache.folder))
    }
  }

  @Test("D38: a hash that is not 64 hexadecimal digits, a commit that is not 40, are refused")
  func hostileHashes() throws {
    for hash in [
      "", "sha256:abc", String(repeating: "g", count: 64), String(repeating: "a", count: 63),
      "../" + String(repeating: "a", count: 61), String(repeating: "A", count: 64),
    ] {
      #expect(throws: HubError.self) {
        try HubFile(
          repository: "owner/name", path: "x.gguf", commit: LoopbackHub.commit, byteCount: 1,
          sha256: hash)
      }
      #expect(throws: HubError.self) {
        try HubFile(
          repository: "owner/name", path: "x.gguf", commit: hash, byteCount: 1,
          sha256: String(repeating: "a", count: 64))
      }
    }
    for size in [0, -1, Int.min, Int.max] {
      #expect(throws: HubError.self) {
        try HubFile(
          repository: "owner/name", path: "x.gguf", commit: LoopbackHub.commit, byteCount: size,
          sha256: String(repeating: "a", count: 64))
      }
    }
  }

  @Test(
    "D39: what the hub says of a repository may be any nonsense",
    arguments: [
      "", "{", "[]", "null", "{}", "{\"sha\":1,\"siblings\":[]}",
      "{\"sha\":\"x\",\"siblings\":null}",
      "{\"sha\":\"x\",\"siblings\":[]}", "{\"sha\":\"x\",\"siblings\":[{}]}",
      "{\"sha\":\"x\",\"siblings\":[{\"rfilename\":\"a.gguf\"}]}",
      "{\"sha\":\"x\",\"siblings\":[{\"rfilename\":\"a.gguf\",\"lfs\":{\"size\":1e99,\"sha256\":\"y\"}}]}",
      "{\"sha\":\"x\",\"siblings\":[{\"rfilename\":\"a.gguf\",\"lfs\":{\"size\":-5,\"sha256\":\"y\"}}]}",
      String(repeating: "[", count: 200_000), "\u{FFFD}\u{0}",
      "{\"sha\":\"" + String(repeating: "x", count: 1 << 20) + "\",\"siblings\":[]}",
    ])
  func nonsense(answer: String) throws {
    let world = try HubWorld()
    try world.hub.write(Data(answer.utf8), to: "api-answer")
    #expect(throws: HubError.self) {
      try world.library.fetch(try world.library.source(of: "hf:owner/model-GGUF"))
    }
    #expect(!FileManager.default.fileExists(atPath: world.cache.folder))
  }

  @Test("D40: links in place of folders and of the partial are refused; so are folders for anybody")
  func links() throws {
    let files = FileManager.default
    for place in ["blobs", "snapshots"] {
      let world = try HubWorld()
      let repository = world.cache.repositoryFolder(HubWorld.repository)
      let elsewhere = world.hub.folder.appendingPathComponent("elsewhere").path
      try files.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
      try files.createDirectory(atPath: repository, withIntermediateDirectories: true)
      try files.createSymbolicLink(
        atPath: "\(repository)/\(place)", withDestinationPath: elsewhere)
      world.expectError("link")
      #expect(try files.subpathsOfDirectory(atPath: elsewhere).filter { $0.contains(".") }.isEmpty)
    }
    let world = try HubWorld()
    try world.cache.prepare(world.file)
    let victim = world.hub.folder.appendingPathComponent("victim").path
    try Data("mine".utf8).write(to: URL(fileURLWithPath: victim))
    try files.createSymbolicLink(
      atPath: world.cache.partial(world.file), withDestinationPath: victim)
    world.expectError(world.cache.partial(world.file))
    #expect(try String(contentsOfFile: victim, encoding: .utf8) == "mine")
    let open = try HubWorld()
    try open.cache.prepare(open.file)
    chmod(open.cache.repositoryFolder(HubWorld.repository) + "/blobs", 0o777)
    open.expectError("anybody")
  }

  @Test("D41: offline nothing is asked: what is here is used, what is not is said")
  func offline() throws {
    let world = try HubWorld(variables: ["HF_HUB_OFFLINE": "1"])
    world.expectError("HF_HUB_OFFLINE")
    let source = try world.library.source(of: "hf:owner/model-GGUF")
    #expect(throws: HubError.offline(model: "hf:owner/model-GGUF")) {
      try world.library.fetch(source)
    }
    let path = try HubWorld.library(world.hub.variables).fetch(source)
    world.hub.forgetRequests()
    #expect(try world.library.fetch(source, refreshes: true) == path)
    #expect(try world.library.fetch(world.source) == path)
    #expect(world.hub.requests.isEmpty)
  }

  @Test("D44: a cached file that changed is found by verify, and one that was cut by its size")
  func damage() throws {
    let world = try HubWorld()
    let path = try world.fetch()
    let source = try world.library.source(of: "hf:owner/model-GGUF")
    let whole = try #require(try world.library.localFile(world.source))
    #expect(try world.library.verify(whole) == .matches)
    var bytes = world.content
    bytes[1000] ^= 1
    try bytes.write(to: URL(fileURLWithPath: world.cache.blob(world.file)))
    for source in [world.source, source] {
      let file = try #require(try world.library.localFile(source))
      #expect(
        try world.library.verify(file)
          == .differs("SHA-256 \(HubWorld.hash(bytes)), expected \(world.file.sha256)"))
    }
    try bytes.prefix(5000).write(to: URL(fileURLWithPath: world.cache.blob(world.file)))
    #expect(
      try world.library.status(of: world.source)
        == .damaged(path: path, reason: "5000 bytes, expected 300000"))
    // A damaged file is fetched anew.
    try world.expectWhole()
  }
}
