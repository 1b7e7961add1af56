import KernelCore

/// float32 [rows, columns], row-major, each row padded to a multiple of 16 values.
///
/// Kernels write whole vectors, so the padding of a row may hold anything finite.
public final class FloatMatrix: @unchecked Sendable {
  // @unchecked Sendable: the workers of a team write disjoint rows or columns between barriers.

  /// Rows, 0 and more.
  public let rows: Int
  /// Values of a row.
  public let columns: Int
  /// Values from one row to the next.
  public let stride: Int
  private let memory: AlignedMemory

  /// A matrix [rows, columns] of zeros.
  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    stride = (columns + PanelGeometry.rows - 1) / PanelGeometry.rows * PanelGeometry.rows
    memory = AlignedMemory(byteCount: rows * stride * MemoryLayout<Float>.stride)
  }

  var values: UnsafeMutablePointer<Float> { memory.base.assumingMemoryBound(to: Float.self) }

  /// The address of `row`'s first value.
  func pointer(_ row: Int) -> UnsafeMutablePointer<Float> {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    return values + row * stride
  }

  /// Calls `body` with the values of `row`.
  public func withRow<R>(_ row: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R)
    rethrows -> R
  { try body(UnsafeMutableBufferPointer(start: pointer(row), count: columns)) }
}

/// Quantized activations [rows, columns]: what `ActivationRows` reads.
public final class QuantizedMatrix: @unchecked Sendable {
  // @unchecked Sendable: as FloatMatrix.

  /// Rows, 0 and more.
  public let rows: Int
  /// Values of a row.
  public let columns: Int
  /// Two planes rather than one (`ActivationPrecision`).
  public let isWide: Bool
  private let quants: AlignedMemory
  private let blocks: AlignedMemory
  private let outliers: AlignedMemory

  /// - Parameter columns: a multiple of 32.
  public init(rows: Int, columns: Int, isWide: Bool) {
    self.rows = rows
    self.columns = columns
    self.isWide = isWide
    quants = AlignedMemory(byteCount: rows * columns * (isWide ? 2 : 1))
    outliers = AlignedMemory(
      byteCount: isWide ? 0 : rows * Outlier.mostPerRow * MemoryLayout<Outlier>.stride)
    blocks = AlignedMemory(
      byteCount: rows * (columns / PanelGeometry.blockColumns)
        * MemoryLayout<ActivationBlock>.stride)
  }

  var blockCount: Int { columns / PanelGeometry.blockColumns }

  func rowQuants(_ row: Int) -> UnsafeMutablePointer<Int8> {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    return quants.base.assumingMemoryBound(to: Int8.self) + row * columns * (isWide ? 2 : 1)
  }

  func rowBlocks(_ row: Int) -> UnsafeMutablePointer<ActivationBlock> {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    return blocks.base.assumingMemoryBound(to: ActivationBlock.self) + row * blockCount
  }

  /// Of one plane only.
  func rowOutliers(_ row: Int) -> UnsafeMutablePointer<Outlier> {
    precondition(row >= 0 && row < rows && !isWide, "row \(row) of \(rows)")
    return outliers.base.assumingMemoryBound(to: Outlier.self) + row * Outlier.mostPerRow
  }

  /// The rows from `row` on, with what `OutlierPlan` made of their outliers.
  func view(from row: Int, _ outliers: OutlierRows? = nil) -> ActivationRows {
    ActivationRows(
      quants: rowQuants(row), blocks: rowBlocks(row), blockCount: blockCount, outliers: outliers)
  }

  /// Quantizes `source` as row `row`. Afterwards `source` is as it was.
  func quantize(_ row: Int, from source: UnsafeMutablePointer<Float>, _ kernels: KernelTable) {
    if isWide {
      kernels.quantizeWideRow(source, blockCount, rowQuants(row), rowBlocks(row))
    } else {
      kernels.quantizeRow(source, blockCount, rowQuants(row), rowBlocks(row), rowOutliers(row))
    }
  }
}
