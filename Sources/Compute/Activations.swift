import KernelCore

/// The input of matrix products: as floats, and as quantized as some weights read it.
public final class Activations: Sendable {
  /// [row, column], float32.
  public let values: FloatMatrix
  private let narrow: QuantizedMatrix
  private let wide: QuantizedMatrix
  /// What four-bit weights read rather than `narrow`, where the instruction set has kernels for it.
  private let paired: PairedMatrix
  private let mayPair: Bool
  /// Of each worker, or one where only one reads the rows.
  private let plans: [OutlierPlan]

  /// Tokens that it has room for.
  public var rows: Int { narrow.rows }
  /// Values of a token.
  public var columns: Int { values.columns }

  /// Room for `rows` tokens in quantized form.
  ///
  /// - Parameters:
  ///   - values: at least as many rows.
  ///   - workers: threads that read it.
  ///   - mayPair: whether there are enough tokens for `PairedActivations`.
  init(_ values: FloatMatrix, rows: Int, workers: Int, mayPair: Bool) {
    precondition(values.rows >= rows)
    self.values = values
    let columns = values.columns
    // Without whole blocks there are no quantized weights to read them.
    let quantizedColumns = columns % PanelGeometry.blockColumns == 0 ? columns : 0
    narrow = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: false)
    wide = QuantizedMatrix(rows: rows, columns: quantizedColumns, isWide: true)
    plans = (0..<workers).map { _ in OutlierPlan(rows: rows, columns: quantizedColumns) }
    paired = PairedMatrix(rows: mayPair ? rows : 0, columns: quantizedColumns)
    self.mayPair = mayPair
  }

  /// The rows from `row` on, as `weights` read them.
  func view(
    from row: Int, _ outliers: OutlierRows?, for weights: WeightMatrix, _ kernels: KernelTable
  ) -> ActivationRows {
    guard !weights.wantsWideInput else { return wide.view(from: row) }
    return mayPair && kernels.pairsFourBits && weights.kind.isFourBit
      ? paired.view(from: row, outliers) : narrow.view(from: row, outliers)
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
    let isPaired = readers.needFourBit && mayPair && kernels.pairsFourBits
    if isPaired {
      paired.quantize(row, from: source, outliers: narrow.rowOutliers(row), kernels)
    }
    if readers.needNarrow || readers.needFourBit && !isPaired {
      narrow.quantize(row, from: source, kernels)
    }
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
  /// In one plane, by four-bit weights of Q4_0, and by others.
  let needFourBit, needNarrow: Bool
  let needWide: Bool
  let needValues: Bool

  /// Whether they read more than the values.
  var needQuantized: Bool { needFourBit || needNarrow || needWide }

  /// Readers of values alone.
  static let values = InputReaders(fourBit: false, narrow: false, wide: false, values: true)

  private init(fourBit: Bool, narrow: Bool, wide: Bool, values: Bool) {
    (needFourBit, needNarrow, needWide, needValues) = (fourBit, narrow, wide, values)
  }

  /// The forms that `weights` read their inputs in.
  public init(_ weights: WeightMatrix...) {
    let quantized = weights.filter { $0.isNative && $0.isQuantized }
    needWide = quantized.contains { $0.wantsWideInput }
    let narrow = quantized.filter { !$0.wantsWideInput }
    needFourBit = narrow.contains { $0.kind.isFourBit }
    needNarrow = narrow.contains { !$0.kind.isFourBit }
    needValues = quantized.count < weights.count
  }
}
