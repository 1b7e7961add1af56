import KernelCore

/// One product of a step: output (+)= input x weights^T.
///
/// A class, and made once: two threads that count references to the same objects slow each other down.
public final class Projection: Sendable {
  let weights: WeightMatrix
  let output: FloatMatrix
  let accumulates: Bool

  /// - Parameters:
  ///   - output: [rows, weights.rows].
  ///   - accumulates: adds to what is there (a residual) instead of replacing it.
  public init(_ weights: WeightMatrix, _ output: FloatMatrix, accumulates: Bool = false) {
    self.weights = weights
    self.output = output
    self.accumulates = accumulates
  }
}

extension Worker {
  /// Multiplies one input with up to three matrices in one step.
  ///
  /// - Parameters:
  ///   - input: [.., columns], which the weights read in the precision that they want.
  ///   - rows: the tokens to compute, of `input`.
  ///   - outputRow: where the results of the first of them go in the outputs; the same row by default.
  public func linear(
    _ input: Activations, rows: Range<Int>, into outputRow: Int? = nil, _ first: Projection,
    _ second: Projection? = nil, _ third: Projection? = nil
  ) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= input.rows)
    guard !rows.isEmpty else { return }
    let outputRow = outputRow ?? rows.lowerBound
    let secondStart = first.units
    let thirdStart = secondStart + (second?.units ?? 0)
    let units = thirdStart + (third?.units ?? 0)
    let readsOutliers =
      first.readsOutliers || (second?.readsOutliers ?? false) || (third?.readsOutliers ?? false)
    // OpenBLAS gets all rows at once: who dequantizes weights for some would do it again for others.
    let isNative = first.isNative && (second?.isNative ?? true) && (third?.isNative ?? true)
    let parts = RowParts(rows, threads: isNative ? count : 1)
    let cuts = WorkCuts(units, threads: count / parts.count, isShort: rows.count < 32)
    var outliers: OutlierRows?
    // Whose outliers these are: a thread has room for those of one part.
    var planned: Int?
    share(parts: parts.count, items: { _ in cuts.count }) { number, item in
      let part = parts[number]
      if readsOutliers, planned != number {
        outliers = input.outliers(part, worker: index)
        planned = number
      }
      let range = cuts[item]
      let into = outputRow + part.lowerBound - rows.lowerBound
      multiply(first, range, from: 0, input, part, outliers, into)
      if let second { multiply(second, range, from: secondStart, input, part, outliers, into) }
      if let third { multiply(third, range, from: thirdStart, input, part, outliers, into) }
    }
  }

  /// What `range` has of the units of `projection`, whose first one is `start`.
  private func multiply(
    _ projection: Projection, _ range: Range<Int>, from start: Int, _ input: Activations,
    _ rows: Range<Int>, _ outliers: OutlierRows?, _ outputRow: Int
  ) {
    let part = range.clamped(to: start..<start + projection.units)
    guard !part.isEmpty else { return }
    let units = part.lowerBound - start..<part.upperBound - start
    let weights = projection.weights
    let output = projection.output
    precondition(weights.columns == input.columns && weights.rows == output.columns)
    precondition(outputRow >= 0 && outputRow + rows.count <= output.rows)
    let results = output.values + outputRow * output.stride
    let target = OutputRows(
      values: results, stride: output.stride, accumulates: projection.accumulates)
    if let panels = weights.panels {
      multiply(weights, panels, units, input, rows, outliers, target)
      return
    }
    let size = OpenBLAS.rowsPerCall
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size * weights.columns) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      for unit in units {
        let range = unit * size..<min((unit + 1) * size, weights.rows)
        weights.dequantizeRows(range, into: scratch)
        OpenBLAS.multiply(
          input: input.values.pointer(rows.lowerBound), inputStride: input.values.stride,
          tokens: rows.count, weights: scratch, rows: range.count, columns: weights.columns,
          output: results + range.lowerBound, outputStride: output.stride,
          accumulates: projection.accumulates)
      }
    }
  }

  private func multiply(
    _ weights: WeightMatrix, _ packed: UnsafeRawPointer, _ panels: Range<Int>,
    _ input: Activations, _ rows: Range<Int>, _ outliers: OutlierRows?, _ output: OutputRows
  ) {
    guard weights.isQuantized else {
      let operands = FloatOperands(
        weights: packed, panels: panels, columns: weights.columns,
        input: input.values.pointer(rows.lowerBound), inputStride: input.values.stride,
        tokens: rows.count, output: output)
      kernels.floating(weights.kind)(operands)
      return
    }
    let isWide = weights.wantsWideInput
    let operands = QuantizedOperands(
      weights: packed, panels: panels,
      input: isWide
        ? input.wide.view(from: rows.lowerBound)
        : input.narrow.view(from: rows.lowerBound, outliers),
      wide: isWide, tokens: rows.count, output: output)
    kernels.quantized(weights.kind)(operands)
  }
}

extension KernelTable {
  /// The kernel that multiplies quantized panels of `kind`.
  func quantized(_ kind: PanelKind) -> Quantized {
    switch kind {
    case .q4_0: q4_0
    case .q4_1: q4_1
    case .q5_0: q5_0
    case .q5_1: q5_1
    case .q8_0: q8_0
    case .q4_K: q4_K
    case .q5_K: q5_K
    case .q4_0Rows: q4_0Rows
    case .q4_1Rows: q4_1Rows
    case .q8_0Rows: q8_0Rows
    default: q6_K
    }
  }

  /// The kernel that multiplies panels of floating-point weights.
  func floating(_ kind: PanelKind) -> Floating {
    switch kind {
    case .f32: f32
    case .f16: f16
    default: bf16
    }
  }
}

extension Projection {
  fileprivate var isNative: Bool { weights.isNative }

  /// Whether inputs are quantized in one plane, less their outliers.
  fileprivate var readsOutliers: Bool {
    isNative && weights.isQuantized && !weights.wantsWideInput
  }

  /// What the work is cut into: panels, or on the OpenBLAS path so many rows.
  fileprivate var units: Int {
    guard !isNative else { return weights.panelCount }
    return (weights.rows + OpenBLAS.rowsPerCall - 1) / OpenBLAS.rowsPerCall
  }
}

/// The items that threads claim, ranges of some units of work.
///
/// Many where each takes long, so that a thread that the system holds up leaves its share to the others. Of few tokens
/// an item takes microseconds, and a thread reads fastest what lies in a row: there each finds one long item first, and
/// then short ones until all are done.
private struct WorkCuts {
  private let total: Int
  private let long: Int
  private let longCount: Int
  private let short: Int

  init(_ total: Int, threads: Int, isShort: Bool) {
    self.total = total
    longCount = isShort ? threads : 0
    long = isShort ? total * 3 / (4 * threads) : 0
    let rest = total - long * longCount
    let items = threads * (isShort ? 2 : 16)
    short = max(1, (rest + items - 1) / items)
  }

  var count: Int { longCount + (total - long * longCount + short - 1) / short }

  subscript(item: Int) -> Range<Int> {
    guard item >= longCount else { return item * long..<(item + 1) * long }
    let start = longCount * long + (item - longCount) * short
    return start..<min(start + short, total)
  }
}
