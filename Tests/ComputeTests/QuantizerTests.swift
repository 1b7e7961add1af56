import Foundation
import GGUF
import TestSupport
import Testing

@testable import Compute

/// What gguf-py (of Q6_K: ggml) quantizes to (`Fixtures/make_quantized.py`).
private struct Golden: Decodable {
  let values: [UInt32]
  let blocks: [String: String]

  static func load() throws -> Golden { try Fixtures.decode(Golden.self, "quantized.json") }
}

@Suite struct QuantizerTests {
  @Test("zeros, ties, subnormals and large values become gguf-py's bytes in every type")
  func blocks() throws {
    let golden = try Golden.load()
    let values = golden.values.map { Float(bitPattern: $0) }
    #expect(Set(golden.blocks.keys) == Set(TensorType.writable.map(\.name)))
    for type in TensorType.writable {
      let byteCount = values.count / type.blockValues * type.blockBytes
      var output = [UInt8](repeating: 0xAA, count: byteCount)
      output.withUnsafeMutableBytes {
        quantize(type, values, count: values.count, into: $0.baseAddress.unsafelyUnwrapped)
      }
      let hex = output.map { String(format: "%02x", $0) }.joined()
      #expect(hex == golden.blocks[type.name], "\(type)")
    }
  }

  @Test("floats become halves as Swift's Float16 rounds them")
  func halves() {
    #if arch(arm64) || os(Linux)
      var random = SeededGenerator(seed: 3)
      let edges: [Float] = [
        0, -0.0, 65504, 65519.996, 65520, 65536, .infinity, 0x1p-14, 0x1p-24, 0x1p-25, 0x1.8p-25,
        0x1.FFCp-15, 0x1.FFFp-15,
      ]
      for value in edges
        + (0..<1_000_000).map({ _ in
          Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
        }) where !value.isNaN
      {
        #expect(halfBits(value) == Float16(value).bitPattern, "\(value)")
      }
    #endif
  }

  @Test("no bit pattern of a weight traps")
  func anyBits() {
    var random = SeededGenerator(seed: 4)
    var output = [UInt8](repeating: 0, count: 1024)
    for _ in 0..<2000 {
      let values = (0..<256).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      }
      for type in TensorType.writable {
        output.withUnsafeMutableBytes {
          quantize(type, values, count: 256, into: $0.baseAddress.unsafelyUnwrapped)
        }
      }
    }
    #expect(output.count == 1024)
  }
}
