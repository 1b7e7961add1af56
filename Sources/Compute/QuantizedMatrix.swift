import KernelCore

/// Quantized activations [rows, columns]: what `ActivationRows` reads.
public final class QuantizedMatrix: @unchecked Sendable {
  // @unchecked Sendable: the workers of a team write disjoint rows between barriers.

  /// Rows of which a block's records lie together: the most that a kernel takes at once.
  static let mostRowsTogether = 8

  /// Rows, 0 and more.
  public let rows: Int
  /// Values of a row.
  public let columns: Int
  /// Two planes rather than one (`ActivationPrecision`).
  public let isWide: Bool
  /// Rows of a group (`ActivationRows`).
  private let group: Int
  private let records: AlignedMemory
  private let outliers: AlignedMemory

  /// - Parameter columns: a multiple of 32.
  public init(rows: Int, columns: Int, isWide: Bool) {
    self.rows = rows
    self.columns = columns
    self.isWide = isWide
    group = max(1, min(rows, Self.mostRowsTogether))
    let groups = (rows + group - 1) / group
    records = AlignedMemory(
      byteCount: groups * group * (columns / PanelGeometry.blockColumns)
        * (isWide ? TwoPlanes.recordBytes : OnePlane.recordBytes))
    outliers = AlignedMemory(
      byteCount: isWide ? 0 : rows * Outlier.mostPerRow * MemoryLayout<Outlier>.stride)
  }

  var blockCount: Int { columns / PanelGeometry.blockColumns }

  /// The record of a block.
  func record(row: Int, block: Int) -> UnsafeMutableRawPointer {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    precondition(block >= 0 && block < blockCount, "block \(block) of \(blockCount)")
    let place = ActivationRows.place(row: row, group: group, blockCount: blockCount)
    return records.base
      + (place + block * group) * (isWide ? TwoPlanes.recordBytes : OnePlane.recordBytes)
  }

  /// Of one plane only.
  func rowOutliers(_ row: Int) -> UnsafeMutablePointer<Outlier> {
    precondition(row >= 0 && row < rows && !isWide, "row \(row) of \(rows)")
    return outliers.base.assumingMemoryBound(to: Outlier.self) + row * Outlier.mostPerRow
  }

  /// The rows from `row` on, with what `OutlierPlan` made of their outliers.
  func view(from row: Int, _ outliers: OutlierRows? = nil) -> ActivationRows {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    return ActivationRows(
      records: records.base, first: row, group: group, blockCount: blockCount, outliers: outliers)
  }

  /// Quantizes `source` as row `row`. Afterwards `source` is as it was.
  func quantize(_ row: Int, from source: UnsafeMutablePointer<Float>, _ kernels: KernelTable) {
    let target = record(row: row, block: 0)
    if isWide {
      kernels.quantizeWideRow(source, blockCount, target, group)
    } else {
      kernels.quantizeRow(source, blockCount, target, group, rowOutliers(row))
    }
  }
}
