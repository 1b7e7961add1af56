/// A value of a row that is multiplied in float32: with it, its block's scale would be too coarse for the
/// other values.
public struct Outlier {
  public var column: Int32
  /// Zero where there is none.
  public var value: Float

  /// Outliers that a row has room for; those that it has come first.
  public static let mostPerRow = 4

  /// The largest of a block is taken out where its square is at least this part of the sum of all blocks':
  /// that is the block's part of the row's error. In long rows that leaves only what is worth reading a
  /// column for; in rows of up to 20 blocks the average block has as much.
  @usableFromInline static let leastShare: Float = 0.05

  @inlinable @inline(__always)
  public init(column: Int32, value: Float) {
    self.column = column
    self.value = value
  }
}

/// The outliers of the rows of a matmul's input.
public struct OutlierRows {
  /// An outlier and where `table` has the weights of its column.
  public struct Placed {
    /// In floats; 0 where there is no outlier.
    public var place: Int32
    public var value: Float

    @inlinable @inline(__always)
    public init(place: Int32, value: Float) {
      self.place = place
      self.value = value
    }
  }

  /// [token, `Outlier.mostPerRow`].
  public var placed: UnsafePointer<Placed>
  /// The columns that some row has an outlier in.
  public var columns: UnsafePointer<Int32>
  public var columnCount: Int
  /// Room for a panel's weights of these columns: [1 + columnCount, 16], the first all zero. Behind it there is room for
  /// those of another one.
  public var table: UnsafeMutablePointer<Float>
  /// The most that a row has; at least one.
  public var depth: Int

  @inlinable
  public init(
    placed: UnsafePointer<Placed>, columns: UnsafePointer<Int32>, columnCount: Int,
    table: UnsafeMutablePointer<Float>, depth: Int
  ) {
    self.placed = placed
    self.columns = columns
    self.columnCount = columnCount
    self.table = table
    self.depth = depth
  }
}

extension OutlierRows {
  /// Room for another panel's weights.
  @inlinable @inline(__always) var otherTable: UnsafeMutablePointer<Float> {
    table + (1 &+ columnCount) &* PanelGeometry.rows
  }
}

/// Takes the values that cost the most accuracy out of a row of `blockCount` blocks: they are zero in `x`
/// afterwards, until `putBack`.
///
/// A block's error goes with the square of its largest value, and in most rows a few blocks have most of it
/// (docs/accuracy.md).
///
/// - Parameter largest: the blocks' largest magnitudes, before and afterwards, and zeros up to a whole number of
///   vectors.
@inlinable @inline(__always)
func takeOutliers<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, blockCount: Int,
  _ largest: UnsafeMutablePointer<Float>, into outliers: UnsafeMutablePointer<Outlier>
) {
  var squares = I.splat(Float(0))
  var block = 0
  while block < blockCount {
    let most = I.load(largest + block)
    squares = I.fma(most, most, squares)
    block &+= PanelGeometry.rows
  }
  let count = findWorst(
    isa, largest, blockCount: blockCount, atLeast: Outlier.leastShare * I.sum(squares),
    into: outliers)
  var taken = 0
  var index = 0
  while index < count {
    let worst = Int(outliers[index].column)
    let most = largest[worst]
    let values = x + worst &* PanelGeometry.blockColumns
    let first = I.magnitude(I.load(values))
    let second = I.magnitude(I.load(values + 16))
    let bound = I.splat(most)
    let places = I.mask(first, atLeast: bound) | I.mask(second, atLeast: bound) << 16
    // One is there, unless the block has values that are not numbers.
    if places != 0 {
      let column = places.trailingZeroBitCount
      outliers[taken] = Outlier(
        column: Int32(truncatingIfNeeded: worst &* PanelGeometry.blockColumns &+ column),
        value: values[column])
      taken &+= 1
      values[column] = 0
      // The next one is as large, or else of those that are smaller.
      if places & (places &- 1) == 0 {
        largest[worst] = I.largest(
          I.maximum(
            I.subtract(first, I.keep(first, where: first, atLeast: most)),
            I.subtract(second, I.keep(second, where: second, atLeast: most))))
      }
    }
    index &+= 1
  }
  while taken < Outlier.mostPerRow {
    outliers[taken] = Outlier(column: 0, value: 0)
    taken &+= 1
  }
}

/// The blocks whose largest magnitude has a square of at least `bound`, as the outliers' columns: the worst first,
/// and no more than `Outlier.mostPerRow`.
///
/// - Returns: how many.
@inlinable @inline(__always)
func findWorst<I: VectorISA>(
  _ isa: I.Type, _ largest: UnsafePointer<Float>, blockCount: Int, atLeast bound: Float,
  into outliers: UnsafeMutablePointer<Outlier>
) -> Int {
  guard bound > 0 else { return 0 }
  var count = 0
  var start = 0
  while start < blockCount {
    let magnitudes = I.load(largest + start)
    var candidates = I.mask(I.multiply(magnitudes, magnitudes), atLeast: I.splat(bound))
    while candidates != 0 {
      let block = start &+ candidates.trailingZeroBitCount
      candidates &= candidates &- 1
      let most = largest[block]
      var place = min(count, Outlier.mostPerRow &- 1)
      if count < Outlier.mostPerRow || outliers[place].value < most {
        while place > 0, outliers[place &- 1].value < most {
          outliers[place] = outliers[place &- 1]
          place &-= 1
        }
        outliers[place] = Outlier(column: Int32(truncatingIfNeeded: block), value: most)
        count = min(count &+ 1, Outlier.mostPerRow)
      }
    }
    start &+= PanelGeometry.rows
  }
  return count
}

/// Undoes what `takeOutliers` did to `x`.
@inlinable @inline(__always)
func putBack(_ outliers: UnsafePointer<Outlier>, _ x: UnsafeMutablePointer<Float>) {
  var index = 0
  while index < Outlier.mostPerRow, outliers[index].value != 0 {
    x[Int(outliers[index].column)] = outliers[index].value
    index &+= 1
  }
}

/// Dequantizes a panel's weights in the columns that have outliers.
///
/// - Parameters:
///   - table: `outliers.table`, or its other one.
///   - read: the panel's weights in a column.
@inlinable @inline(__always)
func readColumns<I: VectorISA>(
  _ isa: I.Type, _ outliers: OutlierRows, into table: UnsafeMutablePointer<Float>,
  _ read: (Int) -> I.Floats
) {
  I.store(I.splat(Float(0)), table)
  var target = table
  var index = 0
  while index < outliers.columnCount {
    target += PanelGeometry.rows
    I.store(read(Int(outliers.columns[index])), target)
    index &+= 1
  }
}

/// Adds a tile's outliers times their columns' weights.
@inlinable @inline(__always)
func addOutliers<I: VectorISA, T: TokenTile>(
  _ isa: I.Type, _ outliers: OutlierRows, _ token: Int, _ sums: inout T
) where T.Element == I.Floats {
  var depth = 0
  while depth < outliers.depth {
    let first = outliers.placed + (token &* Outlier.mostPerRow &+ depth)
    sums.forEach { index, sum in
      let placed = first + index &* Outlier.mostPerRow
      sum = I.fma(
        I.load(outliers.table + Int(placed.pointee.place)), I.splat(placed.pointee.value), sum)
    }
    depth &+= 1
  }
}

/// The same of two panels.
@inlinable @inline(__always)
func addOutliers<I: VectorISA, T: TokenTile>(
  _ isa: I.Type, _ outliers: OutlierRows, _ token: Int, _ sums: inout T
) where T.Element == (I.Floats, I.Floats) {
  let (table, other) = (outliers.table, outliers.otherTable)
  var depth = 0
  while depth < outliers.depth {
    let first = outliers.placed + (token &* Outlier.mostPerRow &+ depth)
    sums.forEach { index, sum in
      let placed = first + index &* Outlier.mostPerRow
      let (place, value) = (Int(placed.pointee.place), I.splat(placed.pointee.value))
      sum = (
        I.fma(I.load(table + place), value, sum.0), I.fma(I.load(other + place), value, sum.1)
      )
    }
    depth &+= 1
  }
}
