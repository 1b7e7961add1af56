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
    let panels =
      first.weights.panelCount + (second?.weights.panelCount ?? 0)
      + (third?.weights.panelCount ?? 0)
    // Several items a thread, so that one that the system holds up leaves its share to the others. Of few tokens an
    // item takes microseconds, and a thread reads fastest what lies in a row.
    let items = count * (rows.count < 32 ? 2 : 16)
    let size = max(1, (panels + items - 1) / items)
    let firstItems = first.itemCount(panelsEach: size)
    let secondItems = second?.itemCount(panelsEach: size) ?? 0
    let thirdItems = third?.itemCount(panelsEach: size) ?? 0
    let readsOutliers =
      first.readsOutliers || (second?.readsOutliers ?? false) || (third?.readsOutliers ?? false)
    let outliers = readsOutliers ? input.outliers(rows, worker: index) : nil
    share(firstItems + secondItems + thirdItems) { item in
      if item < firstItems {
        multiply(first, item, size, input, rows, outliers, outputRow)
      } else if let second, item < firstItems + secondItems {
        multiply(second, item - firstItems, size, input, rows, outliers, outputRow)
      } else if let third {
        multiply(third, item - firstItems - secondItems, size, input, rows, outliers, outputRow)
      }
    }
  }

  private func multiply(
    _ projection: Projection, _ item: Int, _ size: Int, _ input: Activations,
    _ rows: Range<Int>, _ outliers: OutlierRows?, _ outputRow: Int
  ) {
    let weights = projection.weights
    let output = projection.output
    precondition(weights.columns == input.columns && weights.rows == output.columns)
    precondition(outputRow >= 0 && outputRow + rows.count <= output.rows)
    let results = output.values + outputRow * output.stride
    let target = OutputRows(
      values: results, stride: output.stride, accumulates: projection.accumulates)
    if let panels = weights.panels {
      let range = item * size..<min((item + 1) * size, weights.panelCount)
      multiply(weights, panels, range, input, rows, outliers, target)
      return
    }
    let size = OpenBLAS.rowsPerCall
    let range = item * size..<min((item + 1) * size, weights.rows)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size * weights.columns) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      weights.dequantizeRows(range, into: scratch)
      OpenBLAS.multiply(
        input: input.values.pointer(rows.lowerBound), inputStride: input.values.stride,
        tokens: rows.count, weights: scratch, rows: range.count, columns: weights.columns,
        output: results + range.lowerBound, outputStride: output.stride,
        accumulates: projection.accumulates)
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
  /// Whether inputs are quantized in one plane, less their outliers.
  fileprivate var readsOutliers: Bool {
    weights.panels != nil && weights.isQuantized && !weights.wantsWideInput
  }

  /// Items of work: ranges of panels, or on the OpenBLAS path of rows.
  fileprivate func itemCount(panelsEach size: Int) -> Int {
    let (count, each) =
      weights.panels == nil ? (weights.rows, OpenBLAS.rowsPerCall) : (weights.panelCount, size)
    return (count + each - 1) / each
  }
}
