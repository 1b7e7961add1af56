import Foundation
import GGUF
import KernelCore
import TestSupport
import Testing

@testable import Compute

@Suite struct KernelTests {
  static let sets = InstructionSet.allCases.filter(\.isAvailable)

  /// The first layer's query weights of a tiny model, as matrix and as float64 rows.
  private static func matrix(_ type: String, _ team: ComputeTeam, wide: Bool) throws -> (
    WeightMatrix, [[Double]]
  ) {
    let file = try GGUFFile(path: Fixtures.path("tiny-\(type).gguf"))
    let tensor = try #require(file.tensor("blk.0.attn_q.weight"))
    let matrix = try WeightMatrix(tensor, in: file, wantsWideInput: wide, team: team)
    let rows = (0..<matrix.rows).map { row in
      var values = [Float](repeating: 0, count: matrix.columns)
      values.withUnsafeMutableBufferPointer { matrix.readRow(row, into: $0) }
      return values.map(Double.init)
    }
    return (matrix, rows)
  }

  private static func randomInput(rows: Int, columns: Int, _ team: ComputeTeam) -> StepInput {
    var random = SeededGenerator(seed: 5)
    let input = StepInput(rows: rows, columns: columns, workers: team.threadCount)
    for row in 0..<rows {
      input.values.withRow(row) { values in
        for i in values.indices { values[i] = Float.random(in: -2...2, using: &random) }
      }
    }
    return input
  }

  @Test(
    "each type's product is that of its dequantized weights, on each instruction set",
    arguments: sets, Fixtures.tinyTypes)
  func products(set: InstructionSet, type: String) throws {
    for wide in [false, true] {
      let team = ComputeTeam(threads: 2, instructionSet: set, matmulPath: .native)
      let (matrix, rows) = try Self.matrix(type, team, wide: wide)
      // 15 = 8 + 4 + 2 + 1 tokens goes through every tile.
      let input = Self.randomInput(rows: 15, columns: matrix.columns, team)
      let output = FloatMatrix(rows: 15, columns: matrix.rows)
      team.run { worker in
        let prepared = worker.prepare(input, rows: 0..<15, for: InputReaders(matrix))
        worker.linear(
          prepared, rows: 0..<15, Projection(matrix, output))
      }
      var ours: [Float] = []
      var exact: [Float] = []
      for token in 0..<15 {
        let x = input.values.withRow(token) { $0.map(Double.init) }
        ours += output.withRow(token) { Array($0) }
        exact += rows.map { row in Float(zip(row, x).reduce(0) { $0 + $1.0 * $1.1 }) }
      }
      // Uniform inputs in 8 bits: (4/254)^2 / 12 over 4/3 is 1.6e-5; in 15 bits a 16384th of that.
      let allowed = !matrix.isQuantized ? 1e-12 : wide ? 2e-9 : 3e-5
      #expect(normalizedError(ours, exact) < allowed, "\(type) wide \(wide)")
    }
  }

  @Test(
    "a gated product of many tokens has the bits of its parts", arguments: sets,
    ["q4_0", "q8_0", "f16"])
  func gatedProduct(set: InstructionSet, type: String) throws {
    let count = 70
    for threads in [1, 2, 3] {
      let team = ComputeTeam(threads: threads, instructionSet: set, matmulPath: .native)
      let file = try GGUFFile(path: Fixtures.path("tiny-\(type).gguf"))
      let matrices = try ["gate", "up"].map { name in
        let tensor = try #require(file.tensor("blk.0.ffn_\(name).weight"))
        return try WeightMatrix(tensor, in: file, wantsWideInput: false, team: team)
      }
      let (gate, up) = (matrices[0], matrices[1])
      let input = Self.randomInput(rows: count, columns: gate.columns, team)
      let readers = InputReaders(gate, up)
      /// silu(gate) * up of all tokens, so many at a time.
      func results(_ batch: Int) -> [UInt32] {
        let outputs = (0..<2).map { _ in FloatMatrix(rows: count, columns: gate.rows) }
        let result = StepInput(rows: count, columns: gate.rows, workers: threads)
        let wanted = InputReaders.values
        for first in stride(from: 0, to: count, by: batch) {
          team.run { worker in
            let prepared = worker.prepare(input, rows: 0..<count, for: readers)
            _ = worker.gatedLinear(
              prepared, rows: first..<min(first + batch, count), Projection(gate, outputs[0]),
              Projection(up, outputs[1]), into: result, for: wanted)
          }
        }
        return (0..<count).flatMap { result.values.withRow($0) { $0.map(\.bitPattern) } }
      }
      #expect(results(count) == results(35))
    }
  }

  @Test(
    "a token's product has the same bits in every batch, thread count and wide set of lanes",
    arguments: [false, true])
  func sameBits(wide: Bool) throws {
    let count = 50
    for type in Fixtures.tinyTypes {
      var reference: [UInt32] = []
      for set in Self.sets where set != .portable {
        for threads in [1, 2, 3] {
          let team = ComputeTeam(threads: threads, instructionSet: set, matmulPath: .native)
          let (matrix, _) = try Self.matrix(type, team, wide: wide)
          let input = Self.randomInput(rows: count, columns: matrix.columns, team)
          for batch in [1, 2, 3, 4, 7, 8, 15, 50] {
            let output = FloatMatrix(rows: batch, columns: matrix.rows)
            var bits: [UInt32] = []
            for first in stride(from: 0, to: count, by: batch) {
              let rows = min(batch, count - first)
              team.run { worker in
                let prepared = worker.prepare(input, rows: 0..<count, for: InputReaders(matrix))
                worker.linear(
                  prepared, rows: first..<first + rows, into: 0, Projection(matrix, output))
              }
              for row in 0..<rows { bits += output.withRow(row) { $0.map(\.bitPattern) } }
            }
            if reference.isEmpty { reference = bits }
            #expect(bits == reference, "\(type) \(set) \(threads) threads, batch \(batch)")
          }
        }
      }
    }
  }

  /// Rows of small values with 0 to 5 large ones in different blocks.
  private static func inputWithOutliers(_ columns: Int, _ team: ComputeTeam) -> StepInput {
    let input = randomInput(rows: 15, columns: columns, team)
    for row in 0..<15 {
      for index in 0..<(row + 2) % 6 {
        let column = (index * 32 + row * 5 + index) % columns
        input.values.withRow(row) { $0[column] = index % 2 == 0 ? 300 : -200 }
      }
    }
    return input
  }

  @Test("large values of a row do not make the others coarse, in any format", arguments: sets)
  func outliers(set: InstructionSet) throws {
    for type in Fixtures.tinyTypes {
      let team = ComputeTeam(threads: 2, instructionSet: set, matmulPath: .native)
      let (matrix, rows) = try Self.matrix(type, team, wide: false)
      guard matrix.isQuantized else { continue }
      let input = Self.inputWithOutliers(matrix.columns, team)
      var alone: [[Float]] = []
      for batch in [1, 4, 15] {
        let output = FloatMatrix(rows: 15, columns: matrix.rows)
        team.run { worker in
          let prepared = worker.prepare(input, rows: 0..<15, for: InputReaders(matrix))
          for first in stride(from: 0, to: 15, by: batch) {
            worker.linear(
              prepared, rows: first..<min(first + batch, 15), Projection(matrix, output))
          }
        }
        let results = (0..<15).map { output.withRow($0) { Array($0) } }
        if alone.isEmpty { alone = results }
        #expect(results == alone, "\(type), batch \(batch)")
      }
      // Of one or two tokens each thread quantizes its own copy.
      for count in [1, 2] {
        let output = FloatMatrix(rows: 2, columns: matrix.rows)
        team.run { worker in
          let prepared = worker.prepare(input, rows: 0..<count, for: InputReaders(matrix))
          worker.linear(prepared, rows: 0..<count, Projection(matrix, output))
        }
        for row in 0..<count {
          #expect(output.withRow(row) { Array($0) } == alone[row], "\(type), \(count) alone")
        }
      }
      for token in 0..<15 {
        let x = input.values.withRow(token) { $0.map(Double.init) }
        let exact = rows.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
        let error = zip(alone[token], exact).reduce(0) { sum, pair in
          let difference = Double(pair.0) - pair.1
          return sum + difference * difference
        }
        // What rounding to steps of 4 / 254 costs: its square / 12 for each weight's square, and more where
        // weights have a mean and the roundings one as well. With a large value the step is 150 times that.
        let weights = rows.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
        let step = 4.0 / 254
        // A row has room for four.
        let most = (token + 2) % 6 == 5 ? 1e5 : 20
        #expect(error < most * weights * step * step / 12, "\(type) token \(token)")
      }
    }
  }

  @Test("panels that are multiplied together have the bits of each alone", arguments: sets)
  func panelsTogether(set: InstructionSet) throws {
    let most = 21
    for type in Fixtures.tinyTypes {
      for (wide, moved) in [(false, false), (true, false), (false, true), (true, true)] {
        let team = ComputeTeam(threads: 1, instructionSet: set, matmulPath: .native)
        let (matrix, _) = try Self.matrix(type, team, wide: wide)
        if moved, matrix.isInFile { matrix.move(team: team) }
        guard matrix.isQuantized, let panels = matrix.panels else { continue }
        let kernels = team.kernels
        let input = QuantizedMatrix(rows: most, columns: matrix.columns, isWide: wide)
        let values = Self.inputWithOutliers(matrix.columns, team).values
        for row in 0..<most {
          input.quantize(row, from: values.pointer(row % values.rows), kernels)
        }
        let plan = OutlierPlan(rows: most, columns: matrix.columns)
        func products(_ tokens: Int, _ ranges: [Range<Int>]) -> [[UInt32]] {
          let output = FloatMatrix(rows: tokens, columns: matrix.rows)
          for range in ranges {
            let outliers = wide ? nil : plan.make(input.rowOutliers(0), count: tokens)
            kernels.quantized(matrix.kind)(
              QuantizedOperands(
                weights: panels, panels: range, input: input.view(from: 0, outliers), wide: wide,
                tokens: tokens,
                output: OutputRows(
                  values: output.values, stride: output.stride, accumulates: false),
                readsInOrder: false))
          }
          return (0..<tokens).map { output.withRow($0) { $0.map(\.bitPattern) } }
        }
        let count = matrix.panelCount
        try #require(count >= 3)
        for tokens in [4, 8, 15, 17, most] {
          let alone = products(tokens, (0..<count).map { $0..<$0 + 1 })
          #expect(alone.joined().contains { $0 != 0 })
          let message = "\(matrix.kind) wide \(wide), \(tokens) tokens"
          #expect(products(tokens, [0..<count]) == alone, "\(message)")
          #expect(products(tokens, [0..<1, 1..<count]) == alone, "\(message)")
        }
      }
    }
  }

  @Test("moving a matrix out of the file does not change a bit", arguments: sets)
  func moving(set: InstructionSet) throws {
    for type in ["q4_0", "q4_1", "q8_0"] {
      let team = ComputeTeam(threads: 2, instructionSet: set, matmulPath: .native)
      let (matrix, _) = try Self.matrix(type, team, wide: false)
      #expect(matrix.isInFile)
      let input = Self.randomInput(rows: 3, columns: matrix.columns, team)
      func product() -> [[Float]] {
        let output = FloatMatrix(rows: 3, columns: matrix.rows)
        team.run { worker in
          let prepared = worker.prepare(input, rows: 0..<3, for: InputReaders(matrix))
          worker.linear(
            prepared, rows: 0..<3, Projection(matrix, output))
        }
        return (0..<3).map { output.withRow($0) { Array($0) } }
      }
      let before = product()
      matrix.move(team: team)
      #expect(!matrix.isInFile)
      #expect(product() == before, "\(type)")
    }
  }

  @Test("OpenBLAS is chosen for floating-point weights where vectors have no fused multiply-add")
  func automaticPath() {
    #if arch(x86_64)
      let portable = ComputeTeam(threads: 1, instructionSet: .portable)
      #expect(PanelKind.allCases.filter(portable.usesOpenBLAS) == [.f32, .f16, .bf16])
    #endif
    for set in Self.sets where set.hasFusedMultiplyAdd {
      let team = ComputeTeam(threads: 1, instructionSet: set)
      #expect(!PanelKind.allCases.contains(where: team.usesOpenBLAS))
    }
    #expect(ComputeTeam(threads: 1, matmulPath: .openblas).usesOpenBLAS(for: .q4_0))
  }

  @Test("the OpenBLAS path agrees with float64", arguments: ["q4_0", "q6_k", "bf16"])
  func openBLAS(type: String) throws {
    let team = ComputeTeam(threads: 2, matmulPath: .openblas)
    let (matrix, rows) = try Self.matrix(type, team, wide: false)
    let input = Self.randomInput(rows: 3, columns: matrix.columns, team)
    let output = FloatMatrix(rows: 3, columns: matrix.rows)
    team.run { worker in
      let prepared = worker.prepare(input, rows: 0..<3, for: InputReaders(matrix))
      worker.linear(prepared, rows: 0..<3, Projection(matrix, output))
    }
    for token in 0..<3 {
      let x = input.values.withRow(token) { $0.map(Double.init) }
      let exact = rows.map { row in Float(zip(row, x).reduce(0) { $0 + $1.0 * $1.1 }) }
      #expect(normalizedError(output.withRow(token) { Array($0) }, exact) < 1e-12)
    }
  }

  @Test("halves are stored to nearest even on each instruction set", arguments: sets)
  func storesHalves(set: InstructionSet) {
    var random = SeededGenerator(seed: 3)
    let special: [Float] = [
      0, -0.0, 1, 65504, 65519, 65520, 1e9, -1e9, 6e-8, 2.9e-8, 3e-8, 6.1e-5, 6.097e-5, .infinity,
      1.00048828125, 1.00146484375,
    ]
    for round in 0..<200 {
      let values =
        round == 0
        ? special
        : (0..<16).map { _ in
          Float(bitPattern: UInt32.random(in: 0x3000_0000...0x4800_0000, using: &random))
        }
      var bits = [UInt16](repeating: 0, count: 16)
      bits.withUnsafeMutableBytes { target in
        if let base = target.baseAddress { set.kernels.storeHalf(values, base) }
      }
      #if arch(arm64) || os(Linux)
        #expect(bits == values.map { Float16($0).bitPattern })
      #endif
    }
  }

  @Test("RMS norm and SwiGLU agree with float64 at odd sizes", arguments: sets)
  func elementwise(set: InstructionSet) {
    var random = SeededGenerator(seed: 9)
    for count in [1, 15, 16, 17, 64, 576, 577] {
      let x = (0..<count).map { _ in Float.random(in: -3...3, using: &random) }
      let weight = (0..<count).map { _ in Float.random(in: 0...2, using: &random) }
      var output = [Float](repeating: 0, count: count)
      set.kernels.rmsNorm(x, weight, 1e-5, count, &output)
      let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
      let exact = zip(x, weight).map { Float(Double($0) / (mean + 1e-5).squareRoot() * Double($1)) }
      #expect(normalizedError(output, exact) < 1e-12)
    }
    let gates = stride(from: Float(-100), through: 100, by: 0.125).map { $0 }
    let padded = gates + [Float](repeating: 0, count: (16 - gates.count % 16) % 16)
    var result = padded
    set.kernels.swiGLU(
      padded, [Float](repeating: 1, count: padded.count), padded.count, &result, padded)
    for (value, gate) in zip(result, padded) {
      let exact = Double(gate) / (1 + exp(-Double(gate)))
      // Below -87 the result is smaller than 1e-36 and its digits do not matter.
      #expect(abs(Double(value) - exact) <= 4e-7 * abs(exact) + 1e-36, "silu(\(gate))")
    }
  }
}
