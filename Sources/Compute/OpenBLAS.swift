import SystemLibraries

/// The exact path: float32 products through OpenBLAS, which is loaded when they are first asked for.
enum OpenBLAS {
  /// Of `cblas.h`, in builds whose sizes are 32 bits wide.
  private struct Functions: Sendable {
    typealias Multiply =
      @convention(c) (
        CInt, CInt, CInt, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
        UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
      ) -> Void

    let multiply: Multiply
    let configuration: @convention(c) () -> UnsafePointer<CChar>

    /// nil where OpenBLAS is not installed, or built for sizes of 64 bits.
    init?() {
      guard
        let library = SystemLibrary(
          "libopenblas.so.0", "libopenblas.so", "libopenblas.dylib",
          "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
          "/usr/local/opt/openblas/lib/libopenblas.dylib"),
        let setThreads = library.function(
          "openblas_set_num_threads", as: (@convention(c) (CInt) -> Void).self),
        let multiply = library.function("cblas_sgemm", as: Multiply.self),
        let configuration = library.function(
          "openblas_get_config", as: (@convention(c) () -> UnsafePointer<CChar>).self),
        !String(cString: configuration()).contains("USE64BITINT")
      else { return nil }
      (self.multiply, self.configuration) = (multiply, configuration)
      // Each of our threads calls OpenBLAS on rows of its own, so OpenBLAS must start none: two pools
      // would fight for the cores.
      setThreads(1)
    }
  }

  private static let functions = Functions()

  /// Whether it is installed.
  static var isAvailable: Bool { functions != nil }

  /// Weight rows that are dequantized and multiplied at a time: with 1536 columns 384 KiB, which
  /// stays in a core's second-level cache.
  static let rowsPerCall = 64

  /// output[t, r] (+)= sum over c of input[t, c] * weights[r, c]. `isAvailable` is true.
  static func multiply(
    input: UnsafePointer<Float>, inputStride: Int, tokens: Int,
    weights: UnsafePointer<Float>, rows: Int, columns: Int,
    output: UnsafeMutablePointer<Float>, outputStride: Int, accumulates: Bool
  ) {
    // cblas.h: 101 is row-major, 111 as it is, 112 transposed.
    functions?.multiply(
      101, 111, 112, Int32(tokens), Int32(rows), Int32(columns), 1, input, Int32(inputStride),
      weights, Int32(columns), accumulates ? 1 : 0, output, Int32(outputStride))
  }

  /// Its own description of its build and of the kernels that it chose.
  static var version: String? { functions.map { String(cString: $0.configuration()) } }
}

extension MatmulPath {
  /// Whether what it needs is installed.
  public var isAvailable: Bool { self != .openblas || OpenBLAS.isAvailable }

  /// OpenBLAS's own description of its build and of the kernels that it chose; nil where it is not installed.
  public static var openBLASVersion: String? { OpenBLAS.version }
}
