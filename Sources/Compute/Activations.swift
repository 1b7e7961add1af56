import KernelCore

/// The input of matrix products: as floats, and as quantized as some weights read it.
public final class Activations: Sendable {
  /// [row, column], float32.
  public let values: FloatMatrix
  let narrow: QuantizedMatrix
  let wide: QuantizedMatrix

  /// Tokens that it has room for.
  public var rows: Int { values.rows }
  /// Values of a token.
  public var columns: Int { values.columns }

  /// Room for `rows` tokens of `columns` values each, all zero.
  public init(rows: Int, columns: Int) {
    values = FloatMatrix(rows: rows, columns: columns)
    // Without whole blocks there are no quantized weights to read them.
    let quantizedColumns = columns % PanelGeometry.blockColumns == 0 ? columns : 0
    narrow = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: false)
    wide = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: true)
  }

  /// Quantizes `row` for those who read it.
  fileprivate func quantize(_ row: Int, for readers: InputReaders, _ kernels: KernelTable) {
    if readers.needNarrow { quantize(row, into: narrow, kernels) }
    if readers.needWide { quantize(row, into: wide, kernels) }
  }

  private func quantize(_ row: Int, into output: QuantizedMatrix, _ kernels: KernelTable) {
    kernels.quantizeRow(
      output.isWide, values.pointer(row), output.blockCount, output.rowQuants(row),
      output.rowBlocks(row))
  }
}

/// In which precisions a set of matrices reads its common input.
public struct InputReaders: Sendable {
  let needNarrow: Bool
  let needWide: Bool

  /// The forms that `weights` read their inputs in.
  public init(_ weights: WeightMatrix...) {
    let quantized = weights.filter { $0.panels != nil && $0.isQuantized }
    needNarrow = quantized.contains { !$0.wantsWideInput }
    needWide = quantized.contains { $0.wantsWideInput }
  }
}

extension Worker {
  /// Prepares the first `rows` rows of `activations` for those who read them.
  public func prepare(_ activations: Activations, rows: Int, for readers: InputReaders) {
    guard readers.needNarrow || readers.needWide else { return }
    share(rows) { activations.quantize($0, for: readers, kernels) }
  }

  /// RMS norm of rows `rows` of `input` into the same rows of `output`, prepared for those who read
  /// them.
  public func rmsNorm(
    _ input: FloatMatrix, _ weight: WeightVector, epsilon: Float, rows: Range<Int>,
    into output: Activations, for readers: InputReaders
  ) {
    precondition(weight.count == input.columns && output.columns == input.columns)
    share(rows.count) { index in
      let row = rows.lowerBound + index
      kernels.rmsNorm(
        input.pointer(row), weight.storage.values, epsilon, input.columns,
        output.values.pointer(row))
      output.quantize(row, for: readers, kernels)
    }
  }

  /// gate = silu(gate) * up (SwiGLU's product), the first `rows` rows, prepared for those who read
  /// them.
  public func swiGLU(
    _ gate: Activations, _ up: FloatMatrix, rows: Int, for readers: InputReaders
  ) {
    precondition(gate.columns == up.columns)
    share(rows) { row in
      kernels.swiGLU(gate.values.pointer(row), up.pointer(row), gate.values.stride)
      gate.quantize(row, for: readers, kernels)
    }
  }
}
