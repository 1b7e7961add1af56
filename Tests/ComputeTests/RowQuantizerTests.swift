import KernelCore
import TestSupport
import Testing

@testable import Compute

@Suite struct RowQuantizerTests {
  /// A row of `blockCount` blocks, most of whose values are small, with two largest values of the same size in the
  /// first block.
  private static func row(_ blockCount: Int, seed: UInt64) -> [Float] {
    var random = SeededGenerator(seed: seed)
    var row = (0..<32 * blockCount).map { _ in
      let value = Float.random(in: -1...1, using: &random)
      return value * value * value * (Float.random(in: 0...1, using: &random) > 0.97 ? 20 : 1)
    }
    row[7] = 25
    row[20] = -25
    return row
  }

  /// The columns that the rule of docs/accuracy.md takes out, the worst first; nil where rounding could decide.
  private static func expected(_ row: [Float]) -> [Int]? {
    let columns = stride(from: 0, to: row.count, by: 32).map { start in
      (start..<start + 32).max { abs(row[$0]) < abs(row[$1]) } ?? start
    }
    let firsts = columns.map { column in
      (column / 32 * 32..<column + 1).first { abs(row[$0]) == abs(row[column]) } ?? column
    }
    let squares = firsts.map { Double(row[$0]) * Double(row[$0]) }
    let bound = 0.05 * squares.reduce(0, +)
    guard squares.allSatisfy({ abs($0 - bound) > 1e-5 * bound }) else { return nil }
    let worst = firsts.indices.filter { squares[$0] > bound }
      .sorted { (squares[$0], -$0) > (squares[$1], -$1) }
    return worst.prefix(4).map { firsts[$0] }
  }

  @Test(
    "a row is quantized less the largest values of its worst blocks, and is as it was afterwards",
    arguments: KernelTests.sets, [1, 2, 5, 18, 48, 300])
  func quantized(set: InstructionSet, blockCount: Int) throws {
    let kernels = ComputeTeam(threads: 1, instructionSet: set).kernels
    let matrix = QuantizedMatrix(rows: 1, columns: 32 * blockCount, isWide: false)
    var compared = 0
    for seed in 1...20 as ClosedRange<UInt64> {
      let row = Self.row(blockCount, seed: seed)
      guard let expected = Self.expected(row) else { continue }
      compared += 1
      var source = row
      source.withUnsafeMutableBufferPointer { values in
        guard let base = values.baseAddress else { return }
        matrix.quantize(0, from: base, kernels)
      }
      #expect(source == row)

      let outliers = (0..<Outlier.mostPerRow).map { matrix.rowOutliers(0)[$0] }
      #expect(outliers.prefix(expected.count).map { Int($0.column) } == expected)
      #expect(outliers.prefix(expected.count).map(\.value) == expected.map { row[$0] })
      #expect(outliers.dropFirst(expected.count).allSatisfy { $0.value == 0 })
      if kernels.pairsFourBits {
        let owner = QuantizedMatrix(rows: 1, columns: row.count, isWide: false)
        let other = owner.rowOutliers(0)
        source.withUnsafeMutableBufferPointer { values in
          guard let base = values.baseAddress else { return }
          PairedMatrix(rows: 1, columns: row.count)
            .quantize(0, from: base, outliers: other, kernels)
        }
        #expect(source == row)
        #expect((0..<Outlier.mostPerRow).map { other[$0].column } == outliers.map(\.column))
        #expect((0..<Outlier.mostPerRow).map { other[$0].value } == outliers.map(\.value))
        withExtendedLifetime(owner) {}
      }

      var rest = row
      for column in expected { rest[column] = 0 }
      let scales = (0..<blockCount).map { block in
        (rest[32 * block..<32 * block + 32].map(abs).max() ?? 0) / 127
      }
      // All short scales together are at most 66051, and each is at most 32767.
      let unit = max(
        (scales.max() ?? 0) / 32767, scales.reduce(0, +) / Float(66000 - blockCount / 2))
      var shortSum = 0
      for block in 0..<blockCount {
        let values = rest[32 * block..<32 * block + 32]
        let record = matrix.record(row: 0, block: block)
        let about = (record + OnePlane.quantBytes).load(as: ActivationBlock.self)
        let quants = (0..<32).map { Int(record.load(fromByteOffset: $0, as: Int8.self)) }
        #expect(about.scale == (values.map(abs).max() ?? 0) / 127)
        #expect(
          zip(quants, values).allSatisfy {
            abs(Float($0) * about.scale - $1) <= 0.5001 * about.scale
          })
        let sum = quants.reduce(0, +)
        #expect(about.scaledSum == about.scale * Float(sum))
        #expect(Int(about.offset8) == -8 * sum && Int(about.offset128) == -128 * sum)
        #expect(Int(about.firstHalfOffset128) == -128 * quants.prefix(16).reduce(0, +))
        let pair = (matrix.record(row: 0, block: block & ~1) + OnePlane.quantBytes)
          .load(as: ActivationBlock.self).shortScales
        let short = Float(UInt16(truncatingIfNeeded: pair >> (block & 1 == 0 ? 0 : 16)))
        shortSum += Int(short)
        #expect(abs(short - about.scale / unit) <= 0.51)
        #expect(abs(about.productUnit / 32768 - unit) <= 1e-5 * unit)
      }
      #expect(shortSum <= 66051)
    }
    #expect(compared > 10)
  }

  @Test("rows that are zero, or not numbers, are quantized as well", arguments: KernelTests.sets)
  func odd(set: InstructionSet) {
    let kernels = ComputeTeam(threads: 1, instructionSet: set).kernels
    let matrix = QuantizedMatrix(rows: 1, columns: 192, isWide: false)
    let paired = PairedMatrix(rows: 1, columns: 192)
    for value in [
      0, Float.nan, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ] {
      for places in [0..<96, 40..<41, 33..<90] {
        var row = [Float](repeating: 0.5, count: 192)
        for place in places { row[place] = value }
        var source = row
        source.withUnsafeMutableBufferPointer { values in
          guard let base = values.baseAddress else { return }
          if kernels.pairsFourBits {
            paired.quantize(0, from: base, outliers: matrix.rowOutliers(0), kernels)
          }
          matrix.quantize(0, from: base, kernels)
        }
        #expect(source.map(\.bitPattern) == row.map(\.bitPattern))
        if !value.isInfinite {
          // The others' scales make no sum that int32 does not hold.
          let shorts = stride(from: 0, to: 6, by: 2).reduce(0) { sum, block in
            let pair = (matrix.record(row: 0, block: block) + OnePlane.quantBytes)
              .load(as: ActivationBlock.self).shortScales
            return sum + Int(pair & 0xFFFF) + Int(pair >> 16)
          }
          #expect(shorts <= 66051)
        }
        guard value == 0 else { continue }
        for i in places {
          let record = matrix.record(row: 0, block: i / 32)
          #expect(record.load(fromByteOffset: i % 32, as: Int8.self) == 0)
        }
      }
    }
  }
}
