import Foundation
import GGUF
import TestSupport
import Testing

@testable import Compute

/// A block type's random bytes and what gguf-py makes of them.
private struct Golden: Decodable {
  let columns: Int
  let bytes: String
  let values: [Float]

  var raw: [UInt8] {
    stride(from: 0, to: bytes.count, by: 2).map { index in
      let start = bytes.index(bytes.startIndex, offsetBy: index)
      return UInt8(bytes[start..<bytes.index(start, offsetBy: 2)], radix: 16) ?? 0
    }
  }
}

@Suite struct BlockTests {
  @Test("every block type dequantizes to gguf-py's values, bit for bit")
  func dequantization() throws {
    let goldens = try Fixtures.decode([String: Golden].self, "blocks.json")
    #expect(goldens.count == 10)
    for (name, golden) in goldens {
      let type = try #require(TensorType.computable.first { $0.name == name })
      let rowBytes = golden.columns / type.blockValues * type.blockBytes
      let raw = golden.raw
      var values: [Float] = []
      for row in 0..<raw.count / rowBytes {
        var output = [Float](repeating: .nan, count: golden.columns)
        raw.withUnsafeBytes {
          guard let base = $0.baseAddress else { return }
          dequantize(type, base + row * rowBytes, count: golden.columns, into: &output)
        }
        values += output
      }
      #expect(values == golden.values, "\(name)")
    }
  }

  @Test("all 65536 halves convert as Swift's Float16 says")
  func halves() {
    #if arch(arm64) || os(Linux)
      for bits in UInt16.min...UInt16.max {
        let ours = withUnsafeBytes(of: bits.littleEndian) { half($0.baseAddress.unsafelyUnwrapped) }
        let theirs = Float(Float16(bitPattern: bits))
        #expect(ours == theirs || (ours.isNaN && theirs.isNaN))
      }
    #endif
  }
}
