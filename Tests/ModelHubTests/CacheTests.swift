import Foundation
import TestSupport
import Testing

@testable import ModelHub

/// The cache is shared with other programs: what is theirs stays.
@Suite struct CacheTests {
  private let files = FileManager.default

  private func repository(_ world: HubWorld) -> String {
    world.cache.repositoryFolder(HubWorld.repository)
  }

  @Test(
    "a blob that is itself a link, into a store of several repositories, is read and left alone")
  func sharedStore() throws {
    let world = try HubWorld()
    let path = try world.fetch()
    // As huggingface_hub 2 keeps it: blobs/SHA-256 -> ../../blobs/xx/another hash.
    let store = world.cache.folder + "/blobs/ab"
    let payload = store + "/" + String(repeating: "e", count: 64)
    try files.createDirectory(atPath: store, withIntermediateDirectories: true)
    try files.moveItem(atPath: world.cache.blob(world.file), toPath: payload)
    try files.createSymbolicLink(
      atPath: world.cache.blob(world.file), withDestinationPath: payload)
    let source = try world.library.source(of: "hf:owner/model-GGUF")
    #expect(try world.library.path(of: source) == path)
    let file = try #require(try world.library.localFile(source))
    #expect(try world.library.verify(file) == .matches)
    #expect(CacheScan(world.cache).leftovers.isEmpty)
    try world.library.remove(try world.library.removal(of: source))
    #expect(try world.library.path(of: source) == nil)
    #expect(files.fileExists(atPath: payload))
  }

  @Test("a file that a user linked into a snapshot is never removed, nor called damaged")
  func foreignLink() throws {
    let world = try HubWorld()
    _ = try world.fetch()
    let own = world.hub.folder.appendingPathComponent("own.gguf").path
    try Data("GGUFmine".utf8).write(to: URL(fileURLWithPath: own))
    let snapshot = repository(world) + "/snapshots/\(LoopbackHub.commit)"
    try files.createSymbolicLink(
      atPath: snapshot + "/own-Q8_0.gguf", withDestinationPath: own)
    let source = try world.library.source(of: "hf:owner/model-GGUF:Q8_0")
    let file = try #require(try world.library.localFile(source))
    #expect(try world.library.verify(file) == .unknown)
    try world.library.remove(try world.library.removal(of: source))
    #expect(files.fileExists(atPath: own))
    #expect(try world.library.path(of: world.source) != nil)
  }

  @Test("a first pull of a tag does not become what main means; one of a pinned commit does")
  func branches() throws {
    let world = try HubWorld()
    _ = try world.library.fetch(try world.library.source(of: "hf:owner/model-GGUF@refs/pr/3"))
    #expect(world.cache.commit(HubWorld.repository, "refs/pr/3") == LoopbackHub.commit)
    #expect(world.cache.commit(HubWorld.repository, "main") == nil)
    let source = try world.library.source(of: "hf:owner/model-GGUF@refs/pr/3")
    try world.library.remove(try world.library.removal(of: source))
    #expect(!files.fileExists(atPath: repository(world)), "no reference to nothing stays")
    _ = try world.fetch()
    #expect(world.cache.commit(HubWorld.repository, "main") == LoopbackHub.commit)
  }

  @Test("prune leaves other programs' repositories, and what it cannot read, alone")
  func pruning() throws {
    let world = try HubWorld()
    _ = try world.fetch()
    let other = world.cache.repositoryFolder("someone/else") + "/blobs"
    try files.createDirectory(atPath: other, withIntermediateDirectories: true)
    let names = [
      other + "/" + String(repeating: "a", count: 64) + ".1234abcd.incomplete",
      other + "/" + String(repeating: "b", count: 64),
    ]
    for name in names { try Data("safetensors".utf8).write(to: URL(fileURLWithPath: name)) }
    // Another program is writing this one just now.
    let fresh = repository(world) + "/blobs/" + String(repeating: "c", count: 64) + ".x.incomplete"
    try Data("GGUF".utf8).write(to: URL(fileURLWithPath: fresh))
    #expect(CacheScan(world.cache).leftovers.isEmpty)
    let unlinked = repository(world) + "/blobs/" + String(repeating: "d", count: 64)
    try Data("GGUF".utf8).write(to: URL(fileURLWithPath: unlinked))
    #expect(CacheScan(world.cache).leftovers.map(\.path) == [unlinked])
    // What lies too deep to be looked at may need the blob.
    let deep = repository(world) + "/snapshots/" + (0..<20).map { "d\($0)" }.joined(separator: "/")
    try files.createDirectory(atPath: deep, withIntermediateDirectories: true)
    #expect(CacheScan(world.cache).leftovers.isEmpty)
  }

  @Test("what is being fetched is not removed under it")
  func removingUnderWay() throws {
    let world = try HubWorld()
    for source in [world.source, try world.library.source(of: world.webURL)] {
      _ = try world.library.fetch(source)
      let removal = try world.library.removal(of: source)
      let path = try #require(removal.lock)
      let lock = try FileLock(path: path, calls: FileCalls()) { false }
      #expect(throws: HubError.self) { try world.library.remove(removal) }
      #expect(try world.library.path(of: source) != nil)
      withExtendedLifetime(lock) {}
    }
  }

  @Test("an unfinished file that was taken away is noticed before it is published")
  func replacedPartial() throws {
    let world = try HubWorld()
    let partial = world.cache.partial(world.file)
    do {
      _ = try world.library.fetch(world.source) { state in
        if state.phase == .verifying, state.receivedBytes == 300_000 {
          try? FileManager.default.removeItem(atPath: partial)
          try? Data("GGUFother".utf8).write(to: URL(fileURLWithPath: partial))
        }
        return true
      }
      Issue.record("it was published")
    } catch { #expect("\(error)".contains("replaced"), "\(error)") }
    #expect(!world.isPublished)
  }

  @Test("a reference is written only where it changes")
  func references() throws {
    let world = try HubWorld()
    let source = try world.library.source(of: "hf:owner/model-GGUF")
    _ = try world.library.fetch(source)
    let path = repository(world) + "/refs/main"
    let before = try files.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
    _ = try world.library.fetch(source, refreshes: true)
    let after = try files.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
    #expect(before == after && before != nil)
  }
}
