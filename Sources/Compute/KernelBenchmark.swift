import KernelCore

/// Single kernels on one thread, with data that the caches hold: what the code can do, whatever the
/// memory does.
public struct KernelBenchmark {
  /// One kernel and what it is given.
  public struct Case {
    /// The kernel, and the tokens or rows that it works on.
    public let name: String
    /// Multiply-adds of a call; 0 where they say nothing.
    public let multiplyAdds: Int
    /// Bytes of weights, keys and values, or inputs that a call reads.
    public let bytes: Int
    /// Makes one call.
    public let call: () -> Void
  }

  /// Figures of one kernel.
  public struct Result: Sendable {
    /// The kernel, its format and shape.
    public let name: String
    /// Of a call: median, least and most.
    public let seconds: Double
    /// The least and the most of the repetitions.
    public let range: ClosedRange<Double>
    /// 10^9 multiplications and additions a second, as GEMMs are measured; nil where they say nothing.
    public let gigaOperations: Double?
    /// 10^9 bytes a second.
    public let gigabytes: Double
  }

  /// What is measured, in order.
  public let cases: [Case]

  /// Shapes of SmolLM2-135M: a matrix of 576 rows and 1536 columns, heads of 64.
  public init(_ instructionSet: InstructionSet = .best) {
    let kernels = instructionSet.kernels
    cases =
      PanelKind.allCases.flatMap { kind in
        [1, 16, 64].map { Self.matmul(kind, wide: false, tokens: $0, kernels) }
      } + [1, 16, 64].map { Self.matmul(.q8_0, wide: true, tokens: $0, kernels) }
      + [PanelKind.q4_0, .q4_0Rows].flatMap { kind in
        [16, 64].map { Self.matmul(kind, wide: true, tokens: $0, kernels) }
      }
      + [1, 64].map { Self.matmul(.q4_0, wide: false, outliers: true, tokens: $0, kernels) }
      + KeyValueCache.Precision.allCases.flatMap { precision in
        [3, 48].map { Self.attention(precision, rows: $0, kernels) }
      } + Self.rowKernels(kernels)
  }

  /// Calls each case for a while.
  ///
  /// - Parameters:
  ///   - repetitions: of which the median is taken.
  ///   - seconds: of each repetition.
  public func run(repetitions: Int, seconds: Double = 0.02) -> [Result] {
    cases.map { one in
      one.call()
      var calls = 1
      var samples: [Double] = []
      while samples.count < max(1, repetitions) {
        let start = monotonicSeconds()
        for _ in 0..<calls { one.call() }
        let took = monotonicSeconds() - start
        if took >= seconds { samples.append(took / Double(calls)) } else { calls *= 2 }
      }
      samples.sort()
      let median = samples[samples.count / 2]
      return Result(
        name: one.name, seconds: median, range: samples[0]...samples[samples.count - 1],
        gigaOperations: one.multiplyAdds > 0 ? 2 * Double(one.multiplyAdds) / median / 1e9 : nil,
        gigabytes: Double(one.bytes) / median / 1e9)
    }
  }

  /// Bytes that are small finite numbers in every format.
  private static func memory(_ byteCount: Int) -> AlignedMemory {
    let memory = AlignedMemory(byteCount: byteCount)
    memory.base.initializeMemory(as: UInt8.self, repeating: 0x2C, count: byteCount)
    return memory
  }

  private static func matmul(
    _ kind: PanelKind, wide: Bool, outliers: Bool = false, tokens: Int, _ kernels: KernelTable
  ) -> Case {
    let (rows, columns) = (576, 1536)
    let bytes = kind.packedBytes(rows: rows, columns: columns)
    // Kernels ask ahead for memory behind a matrix, which is never read.
    let weights = memory(bytes)
    let output = FloatMatrix(rows: tokens, columns: rows)
    let target = OutputRows(values: output.values, stride: output.stride, accumulates: false)
    let panels = 0..<rows / PanelGeometry.rows
    let call: () -> Void
    if kind.isQuantized {
      let input = QuantizedMatrix(rows: tokens, columns: columns, isWide: wide)
      let isPaired =
        kind.isFourBit && !wide && tokens >= PairedActivations.tile && kernels.pairsFourBits
      let paired = isPaired ? PairedMatrix(rows: tokens, columns: columns) : nil
      let values = FloatMatrix(rows: 1, columns: columns)
      values.withRow(0) { row in for i in row.indices { row[i] = Float(i % 17) - 8 } }
      for row in 0..<tokens {
        // As many as there can be, in columns that several rows have them in.
        let places = (0..<(outliers ? Outlier.mostPerRow : 0)).map { 320 * $0 + row % 16 }
        let before = places.map { values.values[$0] }
        for place in places { values.values[place] = 100 }
        input.quantize(row, from: values.values, kernels)
        paired?.quantize(
          row, from: values.values, outliers: input.rowOutliers(row), kernels)
        for (place, value) in zip(places, before) { values.values[place] = value }
      }
      let kernel = kernels.quantized(kind)
      let plan = outliers ? OutlierPlan(rows: tokens, columns: columns) : nil
      let placed = plan?.make(input.rowOutliers(0), count: tokens)
      let rows = paired?.view(from: 0, placed) ?? input.view(from: 0, placed)
      call = {
        kernel(
          QuantizedOperands(
            weights: weights.base, panels: panels, input: rows, wide: wide,
            tokens: tokens, output: target, readsInOrder: kernels.readsInOrder))
        withExtendedLifetime((input, paired, output, plan)) {}
      }
    } else {
      let input = FloatMatrix(rows: tokens, columns: columns)
      for row in 0..<tokens { input.withRow(row) { $0.initialize(repeating: 0.5) } }
      let kernel = kernels.floating(kind)
      call = {
        kernel(
          FloatOperands(
            weights: weights.base, panels: panels, columns: columns, input: input.values,
            inputStride: input.stride, tokens: tokens, output: target))
        withExtendedLifetime(output) {}
      }
    }
    let what = wide ? " wide" : outliers ? " with outliers" : ""
    return Case(
      name: "\(kind)\(what), \(tokens) token\(tokens == 1 ? "" : "s")",
      multiplyAdds: rows * columns * tokens * (wide ? 2 : 1), bytes: bytes, call: call)
  }

  private static func attention(
    _ precision: KeyValueCache.Precision, rows: Int, _ kernels: KernelTable
  ) -> Case {
    let headSize = 64
    let positions = AttentionSpan.positions
    let keys = memory(positions * headSize * precision.keys.bytes)
    let values = memory(positions * headSize * precision.valueBytes)
    let scales = FloatMatrix(rows: 1, columns: 3 * positions + rows)
    scales.withRow(0) { $0.initialize(repeating: 1e-4) }
    let queries = FloatMatrix(rows: rows, columns: headSize)
    for row in 0..<rows { queries.withRow(row) { $0.initialize(repeating: 0.1) } }
    let scratch = FloatMatrix(rows: rows, columns: positions)
    let sums = FloatMatrix(rows: 2, columns: rows)
    let results = FloatMatrix(rows: rows, columns: headSize)
    let visible = memory(rows * 4)
    let limits = visible.base.assumingMemoryBound(to: Int32.self)
    for row in 0..<rows { limits[row] = Int32(positions) }
    let kernel = kernels.attention(precision.keys)
    return Case(
      name: "attention \(precision.rawValue), \(rows) rows",
      multiplyAdds: 2 * rows * positions * headSize,
      bytes: keys.byteCount + values.byteCount
    ) {
      kernel(
        AttentionSpan(
          keys: keys.base, values: values.base, keyScales: scales.values,
          valueScales: scales.values + positions, keyNorms: scales.values + 2 * positions,
          headSize: headSize, start: 0, count: positions, queries: queries.values,
          queryScales: scales.values + 3 * positions, rows: rows, visible: limits,
          readsInOrder: kernels.readsInOrder),
        scratch.values,
        AttentionPartial(largest: sums.pointer(0), total: sums.pointer(1), values: results.values))
      withExtendedLifetime(visible) {}
    }
  }

  /// What is done to one token's activations.
  private static func rowKernels(_ kernels: KernelTable) -> [Case] {
    let columns = 1536
    let a = FloatMatrix(rows: 1, columns: columns)
    let b = FloatMatrix(rows: 1, columns: columns)
    let output = FloatMatrix(rows: 1, columns: columns)
    for matrix in [a, b] { matrix.withRow(0) { $0.initialize(repeating: 0.25) } }
    let row = FloatMatrix(rows: 1, columns: columns)
    row.withRow(0) { $0.initialize(repeating: 0.25) }
    for outlier in 0..<Outlier.mostPerRow { row.values[320 * outlier + 16] = 10 }
    let quants = [false, true].map { QuantizedMatrix(rows: 1, columns: columns, isWide: $0) }
    let paired = PairedMatrix(rows: 1, columns: columns)
    return [
      Case(name: "rms norm", multiplyAdds: 0, bytes: 8 * columns) {
        kernels.rmsNorm(a.values, b.values, 1e-5, columns, output.values)
      },
      Case(name: "swiglu", multiplyAdds: 0, bytes: 8 * columns) {
        kernels.swiGLU(a.values, b.values, columns, output.values, output.values)
      },
    ]
      + quants.map { target in
        Case(
          name: "quantize\(target.isWide ? " wide" : "")", multiplyAdds: 0, bytes: 4 * columns
        ) {
          target.quantize(0, from: row.values, kernels)
        }
      }
      + (kernels.pairsFourBits ? [paired] : []).map { target in
        Case(name: "quantize paired", multiplyAdds: 0, bytes: 4 * columns) {
          target.quantize(0, from: row.values, outliers: quants[0].rowOutliers(0), kernels)
        }
      }
  }
}
