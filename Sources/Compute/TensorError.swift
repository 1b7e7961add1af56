import GGUF

/// How far the values of two tensors of one shape lie apart.
public struct TensorError: Sendable {
  /// sum((a - b)^2) / sum(a^2), in float64; 0 where both are zero.
  public let relative: Double
  /// The largest |a - b|.
  public let largest: Double

  /// - Returns: nil where the shapes differ or a type cannot be read.
  public init?(
    _ a: TensorDescriptor, in first: GGUFFile, _ b: TensorDescriptor, in second: GGUFFile
  ) {
    guard a.dimensions == b.dimensions, let x = try? TensorValues(a, in: first),
      let y = try? TensorValues(b, in: second)
    else { return nil }
    let rows = (0..<2).map { _ in FloatMatrix(rows: 1, columns: max(1, a.columns)) }
    var (error, norm, largest) = (0.0, 0.0, 0.0)
    for row in 0..<(a.columns == 0 ? 0 : a.rows) {
      x.read(row..<row + 1, into: rows[0].values)
      y.read(row..<row + 1, into: rows[1].values)
      for column in 0..<a.columns {
        let value = Double(rows[0].values[column])
        let difference = value - Double(rows[1].values[column])
        error += difference * difference
        norm += value * value
        largest = max(largest, abs(difference))
      }
    }
    relative = error == 0 ? 0 : error / norm
    self.largest = largest
  }
}
