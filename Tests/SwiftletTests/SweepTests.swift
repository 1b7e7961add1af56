import Foundation
import Swiftlet
import TestSupport
import Testing

/// Files that are cut and flipped everywhere, in process: a trap ends the tests.
@Suite struct SweepTests {
  /// Random flips; `SWIFTLET_SWEEP` asks for more.
  private static let flips =
    ProcessInfo.processInfo.environment["SWIFTLET_SWEEP"].flatMap { Int($0) } ?? 100_000

  /// Reads all that is read before weights: whatever is accepted lies inside the file.
  ///
  /// - Returns: whether anything was accepted.
  private func read(_ bytes: [UInt8]) -> Bool {
    guard let file = try? GGUFFile(contents: bytes) else { return false }
    for tensor in file.tensors { #expect(file.byteRange(of: tensor).upperBound <= bytes.count) }
    _ = try? Hyperparameters(file)
    if let tokenizer = try? Tokenizer(file) {
      let ids = tokenizer.encode("abc<|im_end|>\u{4}ab", controlTokens: .parsed)
      #expect(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains($0) })
      _ = tokenizer.decode(ids)
    }
    _ = try? ChatTemplate(file)
    return true
  }

  @Test(
    "the real header is refused when cut at any of its first 4096 bytes and at every field",
    .enabled(if: RealModel.isPresent))
  func truncations() throws {
    let file = try GGUFFile(path: RealModel.path("Q4_0"))
    let header = [UInt8](
      try FileHandle(forReadingFrom: URL(fileURLWithPath: RealModel.path("Q4_0")))
        .read(upToCount: file.dataOffset) ?? Data())
    var lengths = Set(0...4096)
    for entry in file.entries {
      lengths.formUnion([entry.offset - 1, entry.offset, entry.offset + 1])
    }
    // Tensor descriptions end the header; each is at least 32 bytes.
    lengths.formUnion(stride(from: header.count - 16_384, to: header.count, by: 61))
    for length in lengths {
      #expect(throws: GGUFError.self, "cut at \(length)") {
        try GGUFFile(contents: header[..<length])
      }
    }
  }

  @Test("the fuzzers' seeds are read, and each bit of each flipped: no trap")
  func seeds() throws {
    let folder = Fixtures.root.appendingPathComponent("Fixtures/fuzz")
    var count = 0
    for target in ["GGUF", "Tokenizer"] {
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent(target).path)
      for name in names {
        let url = folder.appendingPathComponent(target).appendingPathComponent(name)
        var bytes = [UInt8](try Data(contentsOf: url))
        #expect(read(bytes), "\(name)")
        count += 1
        for position in bytes.indices.prefix(1024) {
          let bit = UInt8(1) << UInt8(position % 8)
          bytes[position] ^= bit
          _ = read(bytes)
          bytes[position] ^= bit
        }
      }
    }
    #expect(count > 10)
  }

  @Test(
    "every bit of the real file's tensor table is flipped: no trap",
    .enabled(
      if: RealModel.isPresent && ProcessInfo.processInfo.environment["SWIFTLET_SWEEP"] != nil))
  func realTensorTable() throws {
    let path = RealModel.path("Q4_0")
    let file = try GGUFFile(path: path)
    var header = [UInt8](
      try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        .read(upToCount: file.dataOffset) ?? Data())
    // The table ends the header; it begins with the length of the first tensor's name.
    let name = Array(file.tensors[0].name.utf8)
    let start = try #require(
      header.indices.last { header[$0...].starts(with: name) && header[$0 - 8] == name.count })
    var accepted = 0
    for position in start - 8..<header.count {
      for bit in 0..<8 {
        header[position] ^= 1 << UInt8(bit)
        if let flipped = try? GGUFFile(
          header: header, fileByteCount: file.byteCount, name: "flipped")
        {
          accepted += 1
          for tensor in flipped.tensors {
            #expect(flipped.byteRange(of: tensor).upperBound <= file.byteCount)
          }
          _ = try? Hyperparameters(flipped)
        }
        header[position] ^= 1 << UInt8(bit)
      }
    }
    #expect(accepted > 0)
  }

  @Test("every bit of the tensor table is flipped: no trap, and nothing outside the file")
  func tensorTable() throws {
    var bytes = [UInt8](try Fixtures.data("tiny-q4_0.gguf"))
    let file = try GGUFFile(contents: bytes)
    let last = try #require(file.entries.last)
    var accepted = 0
    for position in last.offset..<file.dataOffset {
      for bit in 0..<8 {
        bytes[position] ^= 1 << UInt8(bit)
        if read(bytes) { accepted += 1 }
        bytes[position] ^= 1 << UInt8(bit)
      }
    }
    #expect(accepted > 0)
  }

  @Test("random flips, cuts and repeated stretches of whole headers: no trap")
  func randomFlips() throws {
    let originals = try ["tiny-q4_0.gguf", "tiny-f32.gguf"].map { name in
      let bytes = [UInt8](try Fixtures.data(name))
      return (bytes: bytes, header: try GGUFFile(contents: bytes).dataOffset)
    }
    var random = SeededGenerator(seed: 12)
    var accepted = 0
    for round in 0..<Self.flips {
      let (original, header) = originals[round % originals.count]
      // Data behind the header matter only by their length.
      var bytes = Array(original[..<header]) + [UInt8](repeating: 0, count: original.count - header)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<header, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[place] = .max
        case 1: bytes.replaceSubrange(place..<place + 1, with: [0, 0])
        case 2: bytes.remove(at: place)
        default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
      }
      if read(bytes) { accepted += 1 }
    }
    #expect(accepted > Self.flips / 100)
  }
}
