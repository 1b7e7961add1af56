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

  /// The address of the row that is asked for while `row` is computed: one of `rows`, because another thread may be
  /// writing others.
  func later(_ row: Int, of rows: Range<Int>) -> UnsafeMutablePointer<Float> {
    pointer(min(row + 2, rows.upperBound - 1))
  }

  /// Calls `body` with the values of `row`.
  public func withRow<R>(_ row: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R)
    rethrows -> R
  { try body(UnsafeMutableBufferPointer(start: pointer(row), count: columns)) }
}
