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

  /// Quantizes row `row`, whose values are at `source`, for those who read it.
  func quantize(
    _ row: Int, from source: UnsafePointer<Float>, for readers: InputReaders, _ kernels: KernelTable
  ) {
    if readers.needNarrow { quantize(row, from: source, into: narrow, kernels) }
    if readers.needWide { quantize(row, from: source, into: wide, kernels) }
  }

  /// As `quantize`, and takes over the values where they are read.
  func take(
    _ row: Int, from source: UnsafePointer<Float>, for readers: InputReaders, _ kernels: KernelTable
  ) {
    let target = values.pointer(row)
    if readers.needValues, target != source { target.update(from: source, count: columns) }
    quantize(row, from: source, for: readers, kernels)
  }

  private func quantize(
    _ row: Int, from source: UnsafePointer<Float>, into output: QuantizedMatrix,
    _ kernels: KernelTable
  ) {
    kernels.quantizeRow(
      output.isWide, source, output.blockCount, output.rowQuants(row), output.rowBlocks(row))
  }
}

/// In which precisions a set of matrices reads its common input.
public struct InputReaders: Sendable {
  let needNarrow: Bool
  let needWide: Bool
  let needValues: Bool

  init(narrow: Bool, wide: Bool, values: Bool) {
    (needNarrow, needWide, needValues) = (narrow, wide, values)
  }

  /// The forms that `weights` read their inputs in.
  public init(_ weights: WeightMatrix...) {
    let quantized = weights.filter { $0.panels != nil && $0.isQuantized }
    needNarrow = quantized.contains { !$0.wantsWideInput }
    needWide = quantized.contains { $0.wantsWideInput }
    needValues = quantized.count < weights.count
  }
}
