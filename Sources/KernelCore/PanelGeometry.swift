/// The shape of a packed weight panel.
///
/// A matrix [rows, columns] is cut into panels of 16 rows. Inside a panel the rows are interleaved,
/// so that one vector holds the same columns of all 16: a dot product needs no sum across lanes,
/// and one pass over a panel reads its bytes once, in order.
public enum PanelGeometry {
  /// Rows of a panel: the lanes of `VectorISA.Floats`.
  public static let rows = 16
  /// Columns of a block: what one scale covers in ggml's 32-wide formats, and in our activations.
  public static let blockColumns = 32
  /// Blocks of 32 in one of ggml's 256-wide super-blocks (K-quants).
  public static let blocksPerSuperBlock = 8

  /// Columns of a quantized block go into 8 vectors ("steps") of 16 rows x 4 columns.
  public static let stepBytes = 64
}
