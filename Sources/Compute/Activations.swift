import KernelCore

/// The input of matrix products: as floats, and as quantized as some weights read it.
public final class Activations: Sendable {
  /// [row, column], float32.
  public let values: FloatMatrix
  let narrow: QuantizedMatrix
  let wide: QuantizedMatrix
  /// Of each worker, or one where only one reads the rows.
  private let plans: [OutlierPlan]
  /// The same: room for `narrow` as some kernels read it.
  private let pairedRooms: [AlignedMemory]

  /// Tokens that it has room for.
  public var rows: Int { values.rows }
  /// Values of a token.
  public var columns: Int { values.columns }

  /// Room for `rows` tokens of `columns` values each, all zero, to be read by `workers` threads.
  public init(rows: Int, columns: Int, workers: Int) {
    values = FloatMatrix(rows: rows, columns: columns)
    // Without whole blocks there are no quantized weights to read them.
    let quantizedColumns = columns % PanelGeometry.blockColumns == 0 ? columns : 0
    narrow = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: false)
    wide = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: true)
    plans = (0..<workers).map { _ in OutlierPlan(rows: rows, columns: quantizedColumns) }
    let pairedBytes = PairedActivations.bytes(
      tokens: rows, blocks: quantizedColumns / PanelGeometry.blockColumns)
    pairedRooms = (0..<workers).map { _ in AlignedMemory(byteCount: pairedBytes) }
  }

  /// Room for some rows as `worker` multiplies them, until it asks again.
  func pairedRoom(worker: Int) -> PairedRoom {
    PairedRoom(pairedRooms[pairedRooms.count == 1 ? 0 : worker].base)
  }

  /// The outliers of `rows` as `worker` multiplies them, until it asks again.
  func outliers(_ rows: Range<Int>, worker: Int) -> OutlierRows? {
    plans[plans.count == 1 ? 0 : worker].make(
      narrow.rowOutliers(rows.lowerBound), count: rows.count)
  }

  /// Quantizes row `row`, whose values are at `source`, for those who read it. Nobody else reads `source`
  /// meanwhile.
  func quantize(
    _ row: Int, from source: UnsafeMutablePointer<Float>, for readers: InputReaders,
    _ kernels: KernelTable
  ) {
    if readers.needNarrow { narrow.quantize(row, from: source, kernels) }
    if readers.needWide { wide.quantize(row, from: source, kernels) }
  }

  /// As `quantize`, and takes over the values where they are read.
  func take(
    _ row: Int, from source: UnsafeMutablePointer<Float>, for readers: InputReaders,
    _ kernels: KernelTable
  ) {
    let target = values.pointer(row)
    if readers.needValues, target != source { target.update(from: source, count: columns) }
    quantize(row, from: source, for: readers, kernels)
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
    let quantized = weights.filter { $0.isNative && $0.isQuantized }
    needNarrow = quantized.contains { !$0.wantsWideInput }
    needWide = quantized.contains { $0.wantsWideInput }
    needValues = quantized.count < weights.count
  }
}
