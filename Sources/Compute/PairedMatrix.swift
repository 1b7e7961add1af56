import KernelCore

/// Quantized activations [rows, columns] as four-bit weights read them: `PairedActivations`.
final class PairedMatrix: @unchecked Sendable {
  // @unchecked Sendable: the workers of a team write disjoint rows between barriers.

  let rows: Int
  let blockCount: Int
  private let memory: AlignedMemory

  /// - Parameter columns: a multiple of 32.
  init(rows: Int, columns: Int) {
    self.rows = rows
    blockCount = columns / PanelGeometry.blockColumns
    memory = AlignedMemory(byteCount: PairedActivations.bytes(tokens: rows, blocks: blockCount))
  }

  /// The rows from `row` on, with what `OutlierPlan` made of their outliers.
  func view(from row: Int, _ outliers: OutlierRows? = nil) -> ActivationRows {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    return ActivationRows(
      paired: memory.base, first: row, blockCount: blockCount, outliers: outliers)
  }

  /// Quantizes `source` as row `row`. Afterwards `source` is as it was.
  ///
  /// - Parameters:
  ///   - outliers: where those of the row go, `Outlier.mostPerRow`.
  ///   - kernels: of a set that pairs four-bit weights.
  func quantize(
    _ row: Int, from source: UnsafeMutablePointer<Float>,
    outliers: UnsafeMutablePointer<Outlier>, _ kernels: KernelTable
  ) {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    precondition(kernels.pairsFourBits)
    let tile = memory.base + PairedActivations.tileStart(token: row, blocks: blockCount)
    kernels.quantizePairedRow?(source, blockCount, tile, row % PairedActivations.tile, outliers)
  }
}
