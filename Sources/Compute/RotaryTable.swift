import KernelCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Cosines and sines of rotary position embedding for the tokens of a batch.
///
/// Angles are formed in float64 (Su et al. 2021: position * base^(-2i / rotated)).
public final class RotaryTable: @unchecked Sendable {
  // @unchecked Sendable: rows are filled in one step and read in later ones.

  /// Values of a head that are rotated, a multiple of 16.
  public let rotated: Int
  private let frequencies: [Double]
  private let cosines: FloatMatrix
  private let sines: FloatMatrix

  /// Room for the angles of `rows` tokens; `rotated` is the values of a head that are rotated,
  /// `base` theta.
  public init(rows: Int, rotated: Int, base: Double, scale: Double = 1) {
    self.rotated = rotated
    frequencies = (0..<rotated / 2).map { pow(base, -2 * Double($0) / Double(rotated)) * scale }
    cosines = FloatMatrix(rows: rows, columns: rotated)
    sines = FloatMatrix(rows: rows, columns: rotated)
  }

  func angles(_ row: Int) -> RotaryAngles {
    RotaryAngles(cosines: cosines.pointer(row), sines: sines.pointer(row), rotated: rotated)
  }

  /// Sets `row` to the angles of `position`.
  func fill(_ row: Int, position: Int) {
    let cosine = cosines.pointer(row)
    let sine = sines.pointer(row)
    for (i, frequency) in frequencies.enumerated() {
      let angle = Double(position) * frequency
      cosine[2 * i] = Float(cos(angle))
      cosine[2 * i + 1] = cosine[2 * i]
      sine[2 * i] = -Float(sin(angle))
      sine[2 * i + 1] = -sine[2 * i]
    }
  }
}

extension Worker {
  /// Fills the slices' rows with the angles of their positions.
  public func fillRotary(_ table: RotaryTable, _ slices: [SequenceSlice]) {
    shareRows((slices.first?.rows.lowerBound ?? 0)..<(slices.last?.rows.upperBound ?? 0)) { range in
      for slice in slices {
        for row in slice.rows.clamped(to: range) {
          table.fill(row, position: slice.position(of: row))
        }
      }
    }
  }
}
