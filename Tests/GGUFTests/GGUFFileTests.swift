import Foundation
import GGUF
import TestSupport
import Testing

@Suite struct GGUFFileTests {
  static let tiny = Fixtures.path("tiny-q4_0.gguf")

  @Test("a sound file is read whole: metadata, tensors, alignment")
  func soundFile() throws {
    let file = try GGUFFile(path: Self.tiny)
    #expect(file.version == 3)
    #expect(file.alignment == 32)
    #expect(file.tensors.count == 2 * 9 + 2)
    #expect(file.trailingBytes == 0)
    let metadata = MetadataReader(file)
    #expect(try metadata.requiredString("general.architecture") == "llama")
    #expect(try metadata.requiredInteger("llama.block_count", in: 1...10) == 2)
    #expect(try metadata.requiredFloat("llama.rope.freq_base", in: 1...1e6) == 10_000)
    let embedding = try #require(file.tensor("token_embd.weight"))
    #expect(embedding.dimensions == [256, 41])
    #expect(embedding.type == .q4_0)
    #expect(embedding.byteCount == 41 * 8 * 18)
    let tokens = try metadata.requiredStrings("tokenizer.ggml.tokens")
    var first: [String] = []
    tokens.forEachString { index, bytes in
      if index < 3 { first.append(String(decoding: bytes, as: UTF8.self)) }
    }
    #expect(first == ["<|endoftext|>", "<|im_end|>", "a"])
  }

  @Test(
    "reading ahead asks each 64 KiB of the tensors whether that is enough, and nothing of what is in memory"
  )
  func readingAhead() throws {
    func asked(_ file: GGUFFile, enoughAfter most: Int = .max) -> Int {
      var count = 0
      file.readAhead {
        count += 1
        return count > most
      }
      return count
    }
    let path = Fixtures.path("tiny-f32.gguf")
    let file = try GGUFFile(path: path)
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let steps = (whole.count - file.dataOffset + 65_535) / 65_536
    #expect(steps > 2 && asked(file) == steps)
    #expect(asked(file, enoughAfter: 1) == 2)
    #expect(try asked(GGUFFile(contents: whole)) == 0)
    let header = try GGUFFile(
      header: whole[..<file.dataOffset], fileByteCount: whole.count, name: "header")
    #expect(asked(header) == 0)
  }

  @Test("a file cut anywhere is refused with an error, never read in part")
  func truncation() throws {
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.tiny)))
    let header = try GGUFFile(path: Self.tiny).dataOffset
    for length in Array(0..<header) + [header, header + 1, whole.count - 1] {
      #expect(throws: GGUFError.self, "cut at \(length)") {
        try GGUFFile(contents: whole[..<length])
      }
    }
  }

  @Test("no flipped bit of the header traps; what is accepted stays inside the file")
  func bitFlips() throws {
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.tiny)))
    let header = try GGUFFile(path: Self.tiny).dataOffset
    var accepted = 0
    for position in 0..<header {
      for bit in 0..<8 {
        bytes[position] ^= 1 << UInt8(bit)
        if let file = try? GGUFFile(contents: bytes) {
          accepted += 1
          for tensor in file.tensors {
            #expect(file.byteRange(of: tensor).upperBound <= bytes.count)
          }
        }
        bytes[position] ^= 1 << UInt8(bit)
      }
    }
    // Flips inside texts and numbers leave a sound file.
    #expect(accepted > 0)
  }

  /// A header of `parts`, and nothing behind it.
  private func header(_ parts: [[UInt8]], tensors: UInt64 = 0, entries: UInt64 = 0) -> [UInt8] {
    Array("GGUF".utf8) + little(UInt32(3)) + little(tensors) + little(entries)
      + parts.flatMap { $0 }
  }

  private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + text.utf8 }

  private func field(_ bytes: [UInt8]) -> String? {
    do {
      _ = try GGUFFile(contents: bytes)
      return nil
    } catch { return error.description }
  }

  @Test("files that are something else are named for what they are")
  func otherFiles() {
    #expect(field(Array("<!DOCTYPE html><html>".utf8))?.contains("an HTML page") == true)
    #expect(
      field(Array("version https://git-lfs.github.com/spec/v1".utf8))?.contains("LFS") == true)
    #expect(field(Array("GGU".utf8))?.contains("only 3 bytes") == true)
    #expect(
      field(Array("GGUF".utf8) + [0, 0, 0, 3] + [UInt8](repeating: 0, count: 16))?
        .contains("big-endian") == true)
    #expect(field(Array("GGUF".utf8) + little(UInt32(1)))?.contains("allowed 2 or 3") == true)
  }

  @Test("counts and lengths are bounded by the bytes there are, before anything is reserved")
  func hugeCounts() {
    #expect(field(header([], tensors: .max))?.contains("tensor count at offset 8") == true)
    #expect(field(header([], entries: 1 << 60))?.contains("metadata count at offset 16") == true)
    let padding = [UInt8](repeating: 0, count: 64)
    #expect(
      field(header([little(UInt64.max), padding], entries: 1))?.contains("metadata key") == true)
    let array = string("a") + little(UInt32(9)) + little(UInt32(4)) + little(UInt64(1) << 61)
    #expect(field(header([array, padding], entries: 1))?.contains("elements") == true)
    let nested = string("a") + little(UInt32(9)) + little(UInt32(9)) + little(UInt64(1))
    #expect(field(header([nested, padding], entries: 1))?.contains("array of arrays") == true)
  }

  @Test("shapes whose sizes wrap, unknown types and odd rows are refused by name")
  func hostileTensors() {
    func tensor(_ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64 = 0) -> String? {
      let info =
        string("t") + little(UInt32(dimensions.count)) + dimensions.flatMap { little($0) }
        + little(type) + little(offset)
      return field(header([info, [UInt8](repeating: 0, count: 256)], tensors: 1))
    }
    #expect(tensor([4]) == nil)
    #expect(tensor([1 << 32, 1 << 32])?.contains("more than 2^63 values") == true)
    #expect(tensor([0, 1 << 40, 1 << 40])?.contains("more than 2^63 values") == true)
    #expect(tensor([4, 0x3FFF_FFFF, 0x4000_0001, 1])?.contains("tensor t") == true)
    #expect(tensor([.max])?.contains("below 2^63") == true)
    #expect(tensor([33], type: 2)?.contains("multiples of 32 in Q4_0") == true)
    #expect(tensor([32], type: 4)?.contains("tensor type 4") == true)
    #expect(tensor([4], offset: 32)?.contains("data offset 32") == true)
    #expect(tensor([], type: 0)?.contains("0 dimensions") == true)
    #expect(tensor([1, 1, 1, 1, 1])?.contains("5 dimensions") == true)
  }

  @Test("an alignment of zero, of no power of two or beyond a megabyte is refused")
  func alignment() {
    for value: UInt32 in [0, 1, 13, 1 << 31] {
      let entry = string("general.alignment") + little(UInt32(4)) + little(value)
      #expect(field(header([entry], entries: 1))?.contains("general.alignment") == true)
    }
  }

  @Test("a key that comes twice, is empty or holds NUL is refused")
  func badKeys() {
    let one = string("k") + little(UInt32(7)) + [1]
    #expect(field(header([one], entries: 1)) == nil)
    #expect(field(header([one, one], entries: 2))?.contains("second time") == true)
    #expect(field(header([string("") + little(UInt32(7)) + [1]], entries: 1)) != nil)
    #expect(
      field(header([string("a\0b") + little(UInt32(7)) + [1]], entries: 1))?.contains("NUL")
        == true)
    #expect(field(header([string("k") + little(UInt32(7)) + [2]], entries: 1)) != nil)
  }

  @Test("a missing file, a folder and an empty file are refused in words")
  func unreadableFiles() throws {
    #expect(throws: GGUFError.self) { try GGUFFile(path: "/nonexistent/file") }
    #expect(throws: GGUFError.self) { try GGUFFile(path: "/") }
    #expect(throws: GGUFError.self) { try GGUFFile(path: "/dev/zero") }
  }
}
