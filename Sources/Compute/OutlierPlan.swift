import KernelCore

/// Which columns have outliers among some rows of a matmul's input, and room for a panel's weights in these
/// columns. Each thread has its own.
///
/// Outliers lie mostly in the same columns: the weights are dequantized once for all rows of a batch.
final class OutlierPlan: @unchecked Sendable {
  // @unchecked Sendable: one thread uses it.

  private let rows: Int
  private let placed: AlignedMemory
  /// The columns that have outliers, in the order in which they were found.
  private let found: AlignedMemory
  /// Of each column its place in `found`, from 1; 0 between plans.
  private let places: AlignedMemory
  private let table: AlignedMemory

  init(rows: Int, columns: Int) {
    self.rows = rows
    let entries = rows * Outlier.mostPerRow
    let most = min(columns, entries)
    placed = AlignedMemory(byteCount: entries * MemoryLayout<OutlierRows.Placed>.stride)
    found = AlignedMemory(byteCount: most * MemoryLayout<Int32>.stride)
    places = AlignedMemory(byteCount: columns * MemoryLayout<Int32>.stride)
    table = AlignedMemory(
      byteCount: 2 * (1 + most) * PanelGeometry.rows * MemoryLayout<Float>.stride)
  }

  /// The outliers of `count` rows for a kernel, nil where they have none. Good until the next call.
  func make(_ outliers: UnsafePointer<Outlier>, count: Int) -> OutlierRows? {
    precondition(count <= rows, "\(count) rows of \(rows)")
    let each = Outlier.mostPerRow
    let placed = placed.base.assumingMemoryBound(to: OutlierRows.Placed.self)
    let found = found.base.assumingMemoryBound(to: Int32.self)
    let places = places.base.assumingMemoryBound(to: Int32.self)
    var columnCount = 0
    var depth = 0
    for row in 0..<count {
      for index in 0..<each {
        let entry = row * each + index
        let outlier = outliers[entry]
        guard outlier.value != 0 else {
          placed[entry] = OutlierRows.Placed(place: 0, value: 0)
          continue
        }
        let column = Int(outlier.column)
        if places[column] == 0 {
          found[columnCount] = outlier.column
          columnCount += 1
          places[column] = Int32(truncatingIfNeeded: columnCount)
        }
        placed[entry] = OutlierRows.Placed(
          place: places[column] * Int32(PanelGeometry.rows), value: outlier.value)
        depth = max(depth, index + 1)
      }
    }
    for index in 0..<columnCount { places[Int(found[index])] = 0 }
    guard depth > 0 else { return nil }
    return OutlierRows(
      placed: placed, columns: found, columnCount: columnCount,
      table: table.base.assumingMemoryBound(to: Float.self), depth: depth)
  }
}
