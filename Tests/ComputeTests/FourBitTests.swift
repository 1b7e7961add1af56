import KernelCore
import TestSupport
import Testing

@testable import Compute

/// Q4_0 with scales as int16 (`ShortScales`), against a plain implementation of the rule that its comment states.
@Suite struct FourBitTests {
  private static let tokens = 31
  private static let lanes = PanelGeometry.rows

  /// 16 rows as in a file: a scale of binary16, then two quants in a byte.
  private struct Rows {
    var bytes: [UInt8] = []
    /// [row][block].
    var scales: [[Float]] = []
    /// [row][column], -8 to 7.
    var weights: [[Int]] = []

    /// - Parameter quants: all bytes of quants, where they are not random.
    init(blocks: Int, scale: (Int, Int) -> UInt16, seed: UInt64, quants: UInt8? = nil) {
      var random = SeededGenerator(seed: seed)
      for row in 0..<lanes {
        var rowScales: [Float] = []
        var rowWeights: [Int] = []
        for block in 0..<blocks {
          let bits = scale(row, block)
          let packed = (0..<16).map { _ in quants ?? UInt8.random(in: 0...255, using: &random) }
          bytes += [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)] + packed
          rowScales.append(withUnsafeBytes(of: bits) { half($0.baseAddress.unsafelyUnwrapped) })
          rowWeights += packed.map { Int($0 & 15) - 8 } + packed.map { Int($0 >> 4) - 8 }
        }
        scales.append(rowScales)
        weights.append(rowWeights)
      }
    }
  }

  /// The same rows in both forms; a set may have only the first.
  private struct Input {
    let records: QuantizedMatrix
    let paired: PairedMatrix?
  }

  /// - Parameter value: all values, where they are not random.
  private static func input(
    blocks: Int, _ kernels: KernelTable, value: Float? = nil
  ) -> Input {
    var random = SeededGenerator(seed: 11)
    let matrix = QuantizedMatrix(rows: tokens, columns: 32 * blocks, isWide: false)
    let paired =
      kernels.pairsFourBits ? PairedMatrix(rows: tokens, columns: 32 * blocks) : nil
    for row in 0..<tokens {
      // Blocks whose scales differ by up to a thousand times, and some that are zero.
      var values: [Float] = []
      for _ in 0..<blocks {
        let size: Float = [0, 0.003, 0.1, 1, 3].randomElement(using: &random) ?? 1
        values += (0..<32).map { _ in value ?? size * Float.random(in: -1...1, using: &random) }
      }
      values.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        matrix.quantize(row, from: base, kernels)
        paired?.quantize(row, from: base, outliers: matrix.rowOutliers(row), kernels)
      }
    }
    return Input(records: matrix, paired: paired)
  }

  /// Results [token][row] of one panel, from both forms, all tokens at once, so many that tiles of one and two are left,
  /// some, of which most begin within a tile of activations, and one by one.
  private static func products(
    _ kernel: KernelTable.Quantized, _ weights: UnsafeRawPointer, _ input: Input
  ) -> [[[Float]]] {
    func products(_ batch: Int, _ view: (Int) -> ActivationRows) -> [[Float]] {
      let output = FloatMatrix(rows: tokens, columns: lanes)
      for first in stride(from: 0, to: tokens, by: batch) {
        kernel(
          QuantizedOperands(
            weights: weights, panels: 0..<1, input: view(first), wide: false,
            tokens: min(batch, tokens - first),
            output: OutputRows(
              values: output.values + first * output.stride, stride: output.stride,
              accumulates: false), readsInOrder: false))
      }
      return (0..<tokens).map { output.withRow($0) { Array($0) } }
    }
    return [tokens, 18, 15, 14, 13, 8, 1].flatMap { batch in
      [products(batch) { input.records.view(from: $0) }]
        + (input.paired.map { paired in [products(batch) { paired.view(from: $0) }] } ?? [])
    }
  }

  /// The rule, in integers and single floats.
  private static func expected(_ rows: Rows, _ input: QuantizedMatrix) -> [[Float]] {
    let blocks = input.blockCount
    return (0..<tokens).map { token in
      let records = (0..<blocks).map { input.record(row: token, block: $0) }
      let about = records.map { ($0 + OnePlane.quantBytes).load(as: ActivationBlock.self) }
      return (0..<lanes).map { row in
        let most = rows.scales[row].map(abs).max() ?? 0
        // 2^exponent is at most the largest scale, and more than half of it.
        let exponent = most == 0 ? -24 : Int(most.exponent)
        let unit = Float(sign: .plus, exponent: exponent - 14, significand: 1)
        let factors = (0..<blocks).map { block in
          let weight = Int((rows.scales[row][block] / unit).rounded(.toNearestOrEven))
          let pair = about[block & ~1].shortScales
          let activation = Int(Int16(truncatingIfNeeded: pair >> (block & 1 == 0 ? 0 : 16)))
          return (weight * activation + 16384) >> 15
        }
        let products = (0..<blocks).map { block in
          let dot = (0..<32).reduce(0) { sum, i in
            let quant = Int(records[block].load(fromByteOffset: i, as: Int8.self))
            return sum + quant * rows.weights[row][32 * block + i]
          }
          return dot * factors[block]
        }
        let sum = products.reduce(0, +)
        #expect(Int32(exactly: sum) != nil)
        return Float(sum) * about[0].productUnit * unit
      }
    }
  }

  /// Bits of binary16: 0 where nothing else is said.
  private static let scales: [(String, @Sendable (Int, Int) -> UInt16)] = [
    ("alike", { row, block in 0x2C00 + UInt16(37 * row + 101 * block) % 1024 }),
    ("negative", { row, block in 0xA800 + UInt16(91 * row + 13 * block) % 2048 }),
    ("of all sizes", { row, block in UInt16((row * 4321 + block * 2311) % 0x7C00) }),
    ("subnormal", { row, block in UInt16(row + 5 * block) % 1024 }),
    ("zero", { _, _ in 0 }),
    ("the largest", { row, block in row % 2 == 0 ? 0x7BFF : 0xFBFF }),
  ]

  @Test(
    "products are those of the rule to the last bit, from the file's rows and from panels",
    arguments: KernelTests.sets, [1, 2, 3, 18, 47])
  func rule(set: InstructionSet, blocks: Int) {
    let kernels = set.kernels
    let input = Self.input(blocks: blocks, kernels)
    for (name, scale) in Self.scales {
      let rows = Rows(blocks: blocks, scale: scale, seed: 3)
      let expected = Self.expected(rows, input.records)
      let panel = AlignedMemory(
        byteCount: PanelKind.q4_0.panelBytes(columns: 32 * blocks))
      rows.bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        for results in Self.products(kernels.quantized(.q4_0Rows), base, input) {
          #expect(results == expected, "\(name), rows")
        }
        kernels.interleave(.q4_0Rows, base, blocks, panel.base)
      }
      for results in Self.products(kernels.quantized(.q4_0), panel.base, input) {
        #expect(results == expected, "\(name), panel")
      }
    }
  }

  @Test(
    "the largest sums are those of the rule, which are within int32",
    arguments: KernelTests.sets, [1, 2, 3, 18, 300])
  func largestSums(set: InstructionSet, blocks: Int) {
    let kernels = set.kernels
    for value in [Float(-1), 1] {
      let input = Self.input(blocks: blocks, kernels, value: value)
      // Weights of -8, whose short scales are as large as any are.
      let rows = Rows(blocks: blocks, scale: { _, _ in 0x2FFF }, seed: 3, quants: 0)
      let expected = Self.expected(rows, input.records)
      let results = rows.bytes.withUnsafeBytes {
        Self.products(kernels.quantized(.q4_0Rows), $0.baseAddress.unsafelyUnwrapped, input)
      }
      #expect(results.allSatisfy { $0 == expected })
    }
  }

  @Test(
    "what scales lose as int16 is, in squares, a hundredth of what eight-bit activations lose",
    arguments: [2, 18, 47])
  func accuracy(blocks: Int) {
    let kernels = InstructionSet.best.kernels
    let input = Self.input(blocks: blocks, kernels)
    let rows = Rows(blocks: blocks, scale: Self.scales[0].1, seed: 5)
    let results = rows.bytes.withUnsafeBytes {
      Self.products(kernels.quantized(.q4_0Rows), $0.baseAddress.unsafelyUnwrapped, input)[0]
    }
    for token in 0..<Self.tokens {
      let exact = (0..<Self.lanes).map { row in
        Float(
          (0..<blocks).reduce(0.0) { sum, block in
            let record = input.records.record(row: token, block: block)
            let about = (record + OnePlane.quantBytes).load(as: ActivationBlock.self)
            let dot = (0..<32).reduce(0) { sum, i in
              sum + Int(record.load(fromByteOffset: i, as: Int8.self))
                * rows.weights[row][32 * block + i]
            }
            return sum + Double(dot) * Double(about.scale) * Double(rows.scales[row][block])
          })
      }
      // Which is 1.6e-5 (KernelTests.products).
      #expect(normalizedError(results[token], exact) < 1.6e-7)
    }
  }

  @Test(
    "a scale that is not finite makes its row's results not finite, and no other",
    arguments: KernelTests.sets)
  func notFinite(set: InstructionSet) {
    let kernels = set.kernels
    let input = Self.input(blocks: 6, kernels)
    for bits in [0x7C00, 0xFC00, 0x7E00] as [UInt16] {
      let rows = Rows(
        blocks: 6, scale: { row, block in row == 3 && block == 1 ? bits : 0x2C00 }, seed: 7)
      let results = rows.bytes.withUnsafeBytes {
        Self.products(kernels.quantized(.q4_0Rows), $0.baseAddress.unsafelyUnwrapped, input)
      }
      for result in results.joined() {
        #expect(!result[3].isFinite)
        #expect(result.enumerated().allSatisfy { $0.offset == 3 || $0.element.isFinite })
      }
    }
  }

  @Test("fewer than 16 rows are packed as the first of a panel", arguments: KernelTests.sets)
  func fewRows(set: InstructionSet) {
    let blocks = 5
    let kernels = set.kernels
    let input = Self.input(blocks: blocks, kernels)
    let rows = Rows(blocks: blocks, scale: Self.scales[0].1, seed: 9)
    let packing = PanelPacking(
      type: .q4_0, kind: .q4_0, columns: 32 * blocks, rowBytes: 18 * blocks)
    let panel = AlignedMemory(byteCount: PanelKind.q4_0.panelBytes(columns: 32 * blocks))
    let bad = rows.bytes.withUnsafeBytes {
      packing.pack($0.baseAddress.unsafelyUnwrapped, rows: 5, into: panel.base, kernels)
    }
    #expect(bad == nil)
    let expected = Self.expected(rows, input.records)
    for results in Self.products(kernels.quantized(.q4_0), panel.base, input) {
      for (result, expected) in zip(results, expected) {
        #expect(result.prefix(5) == expected.prefix(5))
        #expect(result.dropFirst(5).allSatisfy { $0 == 0 })
      }
    }
  }
}
