import GGUF

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What the values of a tensor are like.
public struct TensorStatistics: Sendable {
  /// Values of the tensor.
  public let count: Int
  /// Of the finite values; 0 where there are none.
  public let minimum: Float
  /// The largest finite value.
  public let maximum: Float
  /// The mean of the finite values.
  public let mean: Double
  /// Population standard deviation.
  public let standardDeviation: Double
  /// How many values are NaN.
  public let notANumber: Int
  /// How many values are infinite.
  public let infinite: Int
  /// How many values are zero.
  public let zeros: Int
  /// Finite values in equal steps from `minimum` to `maximum`.
  public let histogram: [Int]

  /// Reads `tensor` twice: for its range, then for its distribution.
  ///
  /// - Parameter bins: steps of the histogram, at least 1.
  /// - Throws: `GGUFError` where the type cannot be read.
  public init(_ tensor: TensorDescriptor, in file: GGUFFile, bins: Int = 32) throws(GGUFError) {
    let values = try TensorValues(tensor, in: file)
    let bins = max(1, bins)
    let row = FloatMatrix(rows: 1, columns: max(1, tensor.columns))
    func forEachValue(_ body: (Float) -> Void) {
      for index in 0..<(tensor.columns == 0 ? 0 : tensor.rows) {
        values.read(index..<index + 1, into: row.values)
        row.withRow(0) { $0.forEach(body) }
      }
    }
    var (low, high) = (Float.infinity, -Float.infinity)
    var (sum, finite, nan, infinite, zeros) = (0.0, 0, 0, 0, 0)
    forEachValue { value in
      if value.isFinite {
        low = min(low, value)
        high = max(high, value)
        sum += Double(value)
        finite += 1
        if value == 0 { zeros += 1 }
      } else if value.isNaN {
        nan += 1
      } else {
        infinite += 1
      }
    }
    if finite == 0 { (low, high) = (0, 0) }
    let mean = finite > 0 ? sum / Double(finite) : 0
    var squares = 0.0
    var histogram = [Int](repeating: 0, count: bins)
    let step = (Double(high) - Double(low)) / Double(bins)
    forEachValue { value in
      guard value.isFinite else { return }
      let difference = Double(value) - mean
      squares += difference * difference
      let bin = step > 0 ? Int((Double(value) - Double(low)) / step) : 0
      histogram[min(bins - 1, max(0, bin))] += 1
    }
    count = tensor.valueCount
    minimum = low
    maximum = high
    self.mean = mean
    standardDeviation = finite > 0 ? (squares / Double(finite)).squareRoot() : 0
    notANumber = nan
    self.infinite = infinite
    self.zeros = zeros
    self.histogram = histogram
  }
}
