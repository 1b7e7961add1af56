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
  ///   - upcoming: what this thread reads afterwards, to be asked for meanwhile.
  ///   - afterOwnWork: whether each thread has prepared its `ownRows` of the input, which `rows` are all of, by itself: who
  ///     comes first helps the others then.
  public func linear(
    _ input: Activations, rows: Range<Int>, into outputRow: Int? = nil, _ first: Projection,
    _ second: Projection? = nil, _ third: Projection? = nil,
    meanwhile upcoming: UpcomingReads? = nil, afterOwnWork: Bool = false
  ) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= input.rows)
    guard !rows.isEmpty else { return }
    let outputRow = outputRow ?? rows.lowerBound
    let secondStart = first.units
    let thirdStart = secondStart + (second?.units ?? 0)
    let units = thirdStart + (third?.units ?? 0)
    let readsOutliers =
      first.readsOutliers || (second?.readsOutliers ?? false) || (third?.readsOutliers ?? false)
    let isNative = first.isNative && (second?.isNative ?? true) && (third?.isNative ?? true)
    let ahead = upcoming?.state
    shareProducts(
      input, rows, units: units, readsOutliers: readsOutliers, isNative: isNative,
      afterOwnWork: afterOwnWork
    ) { part, range, outliers in
      let into = outputRow + part.lowerBound - rows.lowerBound
      multiply(first, range, from: 0, input, part, outliers, into, ahead)
      if let second {
        multiply(second, range, from: secondStart, input, part, outliers, into, ahead)
      }
      if let third {
        multiply(third, range, from: thirdStart, input, part, outliers, into, ahead)
      }
    }
  }

  /// silu(input x gate^T) * (input x up^T), SwiGLU's product (Shazeer 2020), into the same rows of `result`, prepared for
  /// those who read them.
  ///
  /// Of many tokens the outputs of `gate` and `up` are room for an item's results: they stay in the cache, where those of all
  /// columns would be more than it holds.
  ///
  /// - Parameters:
  ///   - rows: the tokens to compute, of `input`.
  ///   - upcoming: as of `linear`.
  /// - Returns: the rows as this worker reads them.
  public func gatedLinear(
    _ input: Activations, rows: Range<Int>, _ gate: Projection, _ up: Projection,
    into result: StepInput, for readers: InputReaders, meanwhile upcoming: UpcomingReads? = nil
  ) -> Activations {
    // Each thread has a part of both outputs to itself.
    let cuts = WorkCuts(gate.units, stretches: 1, items: Self.itemsOfStretch)
    let most = cuts.mostUnits * PanelGeometry.rows
    let ownRows = min(gate.output.rows, up.output.rows) / count
    guard gate.isNative, up.isNative, rows.count >= 64,
      rows.count * most <= ownRows * gate.output.stride
    else {
      linear(input, rows: rows, gate, up, meanwhile: upcoming)
      return swiGLU(gate.output, up.output, rows: rows, into: result, for: readers)
    }
    precondition(rows.lowerBound >= 0 && rows.upperBound <= input.rows)
    let values = result.values
    precondition(gate.output.stride == up.output.stride && gate.output.stride == values.stride)
    precondition(gate.units == up.units && rows.upperBound <= values.rows)
    let gates = gate.output.values + index * ownRows * values.stride
    let ups = up.output.values + index * ownRows * values.stride
    let ahead = upcoming?.state
    shareProducts(
      input, rows, units: gate.units, readsOutliers: gate.readsOutliers || up.readsOutliers,
      isNative: true, afterOwnWork: false
    ) { part, range, outliers in
      let column = range.lowerBound * PanelGeometry.rows
      let width = range.count * PanelGeometry.rows
      func compute(_ weights: WeightMatrix, into products: UnsafeMutablePointer<Float>) {
        guard let panels = weights.panels else { return }
        precondition(weights.columns == input.columns)
        multiply(
          weights, panels, range, input, part, outliers,
          OutputRows(values: products - column, stride: width, accumulates: false), ahead)
      }
      compute(gate.weights, into: gates)
      compute(up.weights, into: ups)
      for (token, row) in part.enumerated() {
        let first = token * width
        kernels.swiGLU(
          gates + first, ups + first, width, values.pointer(row) + column,
          values.later(row, of: part) + column)
      }
    }
    return prepare(result, rows: rows, for: readers)
  }

  /// Items that a thread's stretch of a product is cut into.
  private static var itemsOfStretch: Int { 16 }

  /// Divides the products of an input's rows among the threads.
  ///
  /// - Parameter body: computes some units for some rows, whose outliers it gets.
  private func shareProducts(
    _ input: Activations, _ rows: Range<Int>, units: Int, readsOutliers: Bool, isNative: Bool,
    afterOwnWork: Bool, _ body: (Range<Int>, Range<Int>, OutlierRows?) -> Void
  ) {
    // OpenBLAS gets all rows at once: who dequantizes weights for some would do it again for others.
    let parts = RowParts(
      rows, threads: isNative ? count : 1, least: afterOwnWork ? .ofSequences : .ofPrompt)
    let items = rows.count < 32 && !afterOwnWork ? 4 : Self.itemsOfStretch
    let cuts = WorkCuts(units, stretches: count / parts.count, items: items)
    var outliers: OutlierRows?
    // Whose these are: a thread has room for those of one part.
    var planned: Int?
    share(
      parts: parts.count * cuts.stretches, items: { cuts.count(of: $0 % cuts.stretches) },
      afterOwnWork: afterOwnWork
    ) { number, item in
      let (number, stretch) = number.quotientAndRemainder(dividingBy: cuts.stretches)
      let part = parts[number]
      if readsOutliers, planned != number {
        outliers = input.outliers(part, worker: index)
        planned = number
      }
      body(part, cuts[stretch, item], outliers)
    }
  }

  /// What `range` has of the units of `projection`, whose first one is `start`.
  private func multiply(
    _ projection: Projection, _ range: Range<Int>, from start: Int, _ input: Activations,
    _ rows: Range<Int>, _ outliers: OutlierRows?, _ outputRow: Int,
    _ ahead: UnsafeMutablePointer<ReadAhead>?
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
      multiply(weights, panels, units, input, rows, outliers, target, ahead)
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
    _ input: Activations, _ rows: Range<Int>, _ outliers: OutlierRows?, _ output: OutputRows,
    _ ahead: UnsafeMutablePointer<ReadAhead>?
  ) {
    guard weights.isQuantized else {
      let operands = FloatOperands(
        weights: packed, panels: panels, columns: weights.columns,
        input: input.values.pointer(rows.lowerBound), inputStride: input.values.stride,
        tokens: rows.count, output: output)
      kernels.floating(weights.kind)(operands)
      return
    }
    let operands = QuantizedOperands(
      weights: packed, panels: panels,
      input: input.view(from: rows.lowerBound, outliers, for: weights, kernels),
      wide: weights.wantsWideInput, tokens: rows.count, output: output,
      readsInOrder: kernels.readsInOrder, ahead: ahead)
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
/// Each thread has a stretch of them to itself, whose items follow each other: it reads fastest what lies in a row, and
/// reading somewhere else costs as much as some kilobytes (docs/performance.md, "A reply"). What it leaves when the
/// system holds it up, others take.
private struct WorkCuts {
  private let units: Int
  let stretches: Int
  private let items: Int

  /// - Parameter items: of each stretch.
  init(_ units: Int, stretches: Int, items: Int) {
    self.units = units
    self.stretches = stretches
    self.items = items
  }

  private func stretch(_ index: Int) -> Range<Int> {
    index * units / stretches..<(index + 1) * units / stretches
  }

  /// Units of an item, even where there are several: kernels take two panels at a time.
  private func size(of stretch: Range<Int>) -> Int {
    let size = max(1, (stretch.count + items - 1) / items)
    return size > 2 ? size + size % 2 : size
  }

  /// What no item has more units than, however many stretches there are.
  var mostUnits: Int { size(of: 0..<units) }

  func count(of index: Int) -> Int {
    let stretch = stretch(index)
    let size = size(of: stretch)
    return (stretch.count + size - 1) / size
  }

  subscript(index: Int, item: Int) -> Range<Int> {
    let stretch = stretch(index)
    let start = stretch.lowerBound + item * size(of: stretch)
    return start..<min(start + size(of: stretch), stretch.upperBound)
  }
}
