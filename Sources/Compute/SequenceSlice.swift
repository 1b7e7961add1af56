/// The rows of a batch that belong to one sequence, at consecutive positions.
public struct SequenceSlice: Sendable {
  /// The keys and values of the sequence.
  public let cache: KeyValueCache
  /// Rows of the batch.
  public let rows: Range<Int>
  /// The position of the first row.
  public let first: Int

  /// Rows that are about to be added at the end of `cache`.
  public init(cache: KeyValueCache, rows: Range<Int>) {
    self.cache = cache
    self.rows = rows
    first = cache.count
  }

  /// Positions of the sequence once the rows are added.
  var end: Int { first + rows.count }

  func position(of row: Int) -> Int { first + row - rows.lowerBound }
}
