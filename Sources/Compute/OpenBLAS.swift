import COpenBLAS

/// The exact path: float32 products through OpenBLAS.
enum OpenBLAS {
  /// Weight rows that are dequantized and multiplied at a time: with 1536 columns 384 KiB, which
  /// stays in a core's second-level cache.
  static let rowsPerCall = 64

  /// Each of our threads calls OpenBLAS on rows of its own, so OpenBLAS must start none: two pools
  /// would fight for the cores.
  static func useCallersThread() { openblas_set_num_threads(1) }

  /// output[t, r] (+)= sum over c of input[t, c] * weights[r, c].
  static func multiply(
    input: UnsafePointer<Float>, inputStride: Int, tokens: Int,
    weights: UnsafePointer<Float>, rows: Int, columns: Int,
    output: UnsafeMutablePointer<Float>, outputStride: Int, accumulates: Bool
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(tokens), blasint(rows), blasint(columns), 1,
      input, blasint(inputStride), weights, blasint(columns), accumulates ? 1 : 0, output,
      blasint(outputStride))
  }
}

extension MatmulPath {
  /// OpenBLAS's own description of its build and of the kernels that it chose.
  public static var openBLASVersion: String { String(cString: openblas_get_config()) }
}
