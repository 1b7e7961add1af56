import Foundation
import GGUF
import TestSupport
import Testing

@testable import Compute

@Suite struct StatisticsTests {
  private func file(_ values: [Float]) throws -> GGUFFile {
    var writer = GGUFWriter()
    try writer.addTensor("t", dimensions: [values.count], type: .f32)
    return try GGUFFile(
      contents: writer.header()
        + values.flatMap { value in
          withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        })
  }

  @Test("range, mean, deviation, histogram and what is no number are counted")
  func values() throws {
    let file = try file([-2, 0, 0, 1, 6, .nan, .infinity, -.infinity])
    let found = try TensorStatistics(file.tensors[0], in: file, bins: 4)
    #expect(found.count == 8 && found.minimum == -2 && found.maximum == 6)
    #expect(found.mean == 1 && abs(found.standardDeviation - (36.0 / 5).squareRoot()) < 1e-12)
    #expect(found.notANumber == 1 && found.infinite == 2 && found.zeros == 2)
    #expect(found.histogram == [1, 3, 0, 1])
    // -2...0, 0...2, 2...4, 4...6
  }

  @Test("constant, empty and wholly infinite tensors have statistics")
  func edges() throws {
    for values in [
      [Float](repeating: 3, count: 5), [], [.nan, .infinity],
      [.greatestFiniteMagnitude, -.greatestFiniteMagnitude],
    ] {
      let file = try file(values)
      let found = try TensorStatistics(file.tensors[0], in: file)
      #expect(found.histogram.reduce(0, +) == values.count { $0.isFinite })
      #expect(found.mean.isFinite && found.standardDeviation.isFinite)
    }
  }
}
