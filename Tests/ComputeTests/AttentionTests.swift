import Foundation
import KernelCore
import TestSupport
import Testing

@testable import Compute

@Suite struct AttentionTests {
  /// Keys and values of one head, and queries of three at the last position.
  private struct Case {
    let size: Int
    let positions: Int
    let rows = 3
    var queries, keys, values: [Float]

    /// - Parameters:
    ///   - reach: how far scores spread: near 0 weights are flat, far above 1 one position takes all.
    ///   - size: of the head.
    ///   - positions: by default in a second span.
    init(seed: UInt64, reach: Float, size: Int = 64, positions: Int = 300) {
      self.size = size
      self.positions = positions
      var random = SeededGenerator(seed: seed)
      queries = (0..<rows * size).map { _ in Float.random(in: -reach...reach, using: &random) }
      keys = (0..<positions * size).map { _ in Float.random(in: -4...4, using: &random) }
      values = (0..<positions * size).map { _ in Float.random(in: -2...2, using: &random) }
    }

    /// With vectors rounded to 1/127 of their largest value.
    mutating func round(_ vectors: WritableKeyPath<Case, [Float]>) {
      for start in stride(from: 0, to: self[keyPath: vectors].count, by: size) {
        let vector = self[keyPath: vectors][start..<start + size]
        let scale = (vector.map(abs).max() ?? 0) / 127
        for index in vector.indices {
          self[keyPath: vectors][index] =
            (vector[index] / scale).rounded(.toNearestOrEven) * scale
        }
      }
    }

    /// With vectors multiplied by Sylvester's Hadamard matrices, of as many columns as the largest power of two that
    /// divides the size, and divided by the square root of that.
    mutating func mix(_ vectors: WritableKeyPath<Case, [Float]>) {
      let part = 1 << size.trailingZeroBitCount
      for start in stride(from: 0, to: self[keyPath: vectors].count, by: part) {
        let vector = self[keyPath: vectors][start..<start + part].map(Double.init)
        for row in 0..<part {
          let sum = (0..<part).reduce(0.0) {
            $0 + ((row & $1).nonzeroBitCount % 2 == 0 ? 1 : -1) * vector[$1]
          }
          self[keyPath: vectors][start + row] = Float(sum / Double(part).squareRoot())
        }
      }
    }

    /// With queries and keys as eight bits have them, mixed.
    var mixedBytes: Case {
      var result = self
      for vectors in [\Case.queries, \.keys] {
        result.mix(vectors)
        result.round(vectors)
      }
      return result
    }

    /// A row's score with a position, in float64.
    private func score(_ row: Int, _ position: Int) -> Double {
      (0..<size).reduce(0.0) {
        $0 + Double(queries[row * size + $1]) * Double(keys[position * size + $1])
      } / Double(size).squareRoot()
    }

    /// In float64.
    ///
    /// - Parameter distant: whose queries and keys spans before the last have; nil: the same.
    func exact(distant: Case? = nil) -> [Float] {
      let own = (positions - 1) / 256 * 256
      return (0..<rows).flatMap { row in
        let scores = (0..<positions).map {
          $0 < own ? (distant ?? self).score(row, $0) : score(row, $0)
        }
        let peak = scores.max() ?? 0
        let weights = scores.map { exp($0 - peak) }
        let total = weights.reduce(0, +)
        return (0..<size).map { column in
          Float(
            zip(weights, 0...).reduce(0.0) {
              $0 + $1.0 * Double(values[$1.1 * size + column])
            } / total)
        }
      }
    }

    /// By the kernels, as a step of one token does it.
    func computed(_ team: ComputeTeam, _ precision: KeyValueCache.Precision) throws -> [Float] {
      let cache = try KeyValueCache(
        KeyValueCache.Shape(layers: 1, heads: 1, headSize: size), capacity: positions,
        precision: precision)
      // What is at a key changes.
      var stored = keys
      for position in 0..<positions - 1 {
        stored.withUnsafeMutableBufferPointer { keys in
          values.withUnsafeBufferPointer { values in
            guard let key = keys.baseAddress, let value = values.baseAddress else { return }
            cache.store(
              key: key + position * size, value: value + position * size, layer: 0, head: 0,
              position: position, kernels: team.kernels)
          }
        }
      }
      cache.extend(by: positions - 1)
      let slice = SequenceSlice(cache: cache, rows: 0..<1)
      func matrix(_ values: some Collection<Float>) -> FloatMatrix {
        let matrix = FloatMatrix(rows: 1, columns: values.count)
        matrix.withRow(0) { _ = $0.update(fromContentsOf: Array(values)) }
        return matrix
      }
      // Nothing is rotated.
      let input = AttentionInput(
        queries: matrix(queries), keys: matrix(keys.suffix(size)),
        values: matrix(values.suffix(size)), table: RotaryTable(rows: 1, rotated: 0, base: 1))
      let output = StepInput(rows: 1, columns: rows * size, workers: team.threadCount)
      let readers = InputReaders.values
      let workspace = AttentionWorkspace(group: rows, headSize: size, workers: team.threadCount)
      workspace.prepare(for: [slice])
      team.run { worker in
        _ = worker.attend(
          input, [slice], needed: 0..<1, layer: 0, workspace: workspace, into: output, for: readers)
      }
      return output.values(upTo: 1).withRow(0) { Array($0) }
    }
  }

  /// What is left beside the rounding of vectors: that of weights to 255ths of the largest of a group. Its variance is a
  /// twelfth of a 255th's square for each of them, and the largest alone has a square of one.
  private func weightRounding(group: Int) -> Double { Double(group) / (12 * 255 * 255) }

  @Test(
    "sixteen bits are exact attention over values rounded to 1/127 of their largest, with eight bits for earlier spans",
    arguments: KernelTests.sets, [Float(0.05), 0.5, 3, 8])
  func fixedPoint(set: InstructionSet, reach: Float) throws {
    let team = ComputeTeam(threads: 2, instructionSet: set)
    for (seed, size) in [64, 16, 48, 80, 96, 128].enumerated() {
      for positions in [200, 256, 257, 600] {
        let example = Case(seed: UInt64(seed), reach: reach, size: size, positions: positions)
        var rounded = example
        rounded.round(\.values)
        let result = try example.computed(team, .fixed)
        let expected = rounded.exact(distant: example.mixedBytes)
        // Of earlier spans groups are larger.
        let group = positions <= AttentionSpan.positions ? 32 : 64
        #expect(
          normalizedError(result, expected) < weightRounding(group: group), "\(size), \(positions)")
        // Of values evenly within ±2 rounding to 2/127 has a variance of 1.6e-5.
        if positions <= AttentionSpan.positions {
          #expect(normalizedError(result, example.exact()) < 5e-5, "\(size), \(positions)")
        }
      }
    }
  }

  @Test(
    "scores far below zero give results, of small values as well",
    arguments: KernelTests.sets, [Float(30), 50, 54, 56, 60, 65, 70, 90])
  func lowScores(set: InstructionSet, depth: Float) throws {
    let team = ComputeTeam(threads: 2, instructionSet: set)
    var example = Case(seed: 9, reach: 3)
    // All rows ask the same, and each key is nearly its opposite: scores of about -depth.
    for i in example.queries.indices { example.queries[i] = example.queries[i % example.size] }
    let square = example.queries[..<example.size].reduce(0) { $0 + $1 * $1 }
    let factor = depth * Float(example.size).squareRoot() / square
    for i in example.keys.indices {
      example.keys[i] = example.keys[i] / 256 - factor * example.queries[i % example.size]
    }
    // Scores of -90 in int8 are right to a few hundredths. Without weights the error would be about 1.
    for precision in [KeyValueCache.Precision.fixed, .byte] {
      for size in [Float(1), 1e-2, 1e-5] {
        var example = example
        example.values = example.values.map { $0 * size }
        let error = normalizedError(try example.computed(team, precision), example.exact())
        #expect(error < 1e-2, "\(precision), \(size)")
      }
    }
  }

  @Test(
    "eight bits are exact attention over queries, keys and values rounded to 1/127, the first two mixed",
    arguments: KernelTests.sets, [Float(0.05), 0.5, 3])
  func bytes(set: InstructionSet, reach: Float) throws {
    let team = ComputeTeam(threads: 2, instructionSet: set)
    for (seed, size) in [64, 16, 48, 80, 96, 128].enumerated() {
      let example = Case(seed: UInt64(seed), reach: reach, size: size)
      var rounded = example.mixedBytes
      rounded.round(\.values)
      let result = try example.computed(team, .byte)
      #expect(normalizedError(result, rounded.exact()) < weightRounding(group: 64), "\(size)")
      // A score's rounding is a hundredth of its spread, of up to 4, with a reach of 3.
      #expect(normalizedError(result, example.exact()) < 2e-3, "\(size)")
    }
  }

  @Test("keys with a few large columns are as close in eight bits", arguments: KernelTests.sets)
  func largeColumns(set: InstructionSet) throws {
    let team = ComputeTeam(threads: 2, instructionSet: set)
    var example = Case(seed: 4, reach: 0.5)
    // The same for all keys, as in real models: weights do not depend on it.
    for start in stride(from: 0, to: example.keys.count, by: example.size) {
      example.keys[start + 44] = 40
      example.keys[start + 49] = -30
    }
    var unmixed = example
    unmixed.round(\.keys)
    let exact = example.exact()
    let error = normalizedError(try example.computed(team, .byte), exact)
    #expect(error < normalizedError(unmixed.exact(), exact) / 4)
  }

  @Test(
    "fixed point has the same bits on every instruction set",
    arguments: [
      KeyValueCache.Precision.fixed, .byte,
    ])
  func sameBits(precision: KeyValueCache.Precision) throws {
    let example = Case(seed: 5, reach: 0.5)
    let results = try KernelTests.sets.filter { $0 != .portable }.map { set in
      try example.computed(ComputeTeam(threads: 2, instructionSet: set), precision)
    }
    #expect(Set(results).count == 1)
  }

  @Test(
    "numbers that are not finite are not taken for others",
    arguments: KernelTests.sets, [Float.nan, .infinity, -.infinity])
  func notFinite(set: InstructionSet, number: Float) throws {
    let team = ComputeTeam(threads: 2, instructionSet: set)
    for precision in [KeyValueCache.Precision.fixed, .byte] {
      for vectors in [\Case.queries, \.keys, \.values] {
        // Whole panels of a span and what follows them, of the first span and of others.
        for (positions, position) in [(300, 0), (300, 260), (300, 295), (600, 300), (11, 5)] {
          var example = Case(seed: 6, reach: 0.5, positions: positions)
          // Of queries the first row's.
          let index = 3 + (vectors == \.queries ? 0 : position * example.size)
          example[keyPath: vectors][index] = number
          let result = try example.computed(team, precision)
          let all = result.prefix(64).allSatisfy { !$0.isFinite }
          #expect(all, "\(precision), \(position) of \(positions)")
        }
      }
    }
  }

  @Test("float32 is within rounding of exact attention", arguments: KernelTests.sets)
  func single(set: InstructionSet) throws {
    let team = ComputeTeam(threads: 2, instructionSet: set)
    let example = Case(seed: 1, reach: 0.5)
    #expect(normalizedError(try example.computed(team, .single), example.exact()) < 1e-11)
  }

  @Test("limits of fixed point hold for the largest sums", arguments: KernelTests.sets)
  func largestSums(set: InstructionSet) throws {
    let team = ComputeTeam(threads: 1, instructionSet: set)
    var example = Case(seed: 1, reach: 1)
    // Queries and keys of one direction, all weights equal, all values at their limit.
    example.queries = example.queries.indices.map { $0 % 64 == 0 ? 100 : 0 }
    example.keys = example.keys.indices.map { $0 % 64 == 0 ? 100 : 0 }
    example.values = example.values.map { _ in -3 }
    for precision in [KeyValueCache.Precision.fixed, .byte] {
      #expect(normalizedError(try example.computed(team, precision), example.exact()) < 1e-9)
    }
  }
}
