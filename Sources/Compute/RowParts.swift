/// Which rows of a step are whose: in every step the same.
///
/// What a thread reads is then mostly what it wrote itself, and still in its cache: to fetch a line that another
/// core wrote takes as long as dozens of dot products (docs/performance.md, "Whose rows"). Each part reads all
/// weights, so that there are parts only of so many rows that computing takes longer than that; of fewer rows there
/// is one, and threads share the weights instead.
struct RowParts {
  /// Parts are whole groups of rows (`ActivationRows`), as tiles are.
  static let group = QuantizedMatrix.mostRowsTogether
  /// Rows that there have to be for each part and thread.
  enum LeastRows: Int {
    /// Of sequences with a row each, which never wait for each other.
    case ofSequences = 4
    /// Of a prompt: of fewer rows it takes longer to unpack all weights once more.
    case ofPrompt = 24
  }

  private let rows: Range<Int>
  /// The group that the first part starts with, and groups of a part.
  private let first: Int
  private let size: Int
  let count: Int

  init(_ rows: Range<Int>, threads: Int, least: LeastRows = .ofPrompt) {
    let first = rows.lowerBound / Self.group
    let groups = (rows.upperBound + Self.group - 1) / Self.group - first
    let most = max(1, min(threads, rows.count / (least.rawValue * threads)))
    let size = max(1, (groups + most - 1) / most)
    let count = (groups + size - 1) / size
    // A last part of a row or two costs all that its thread reads for them.
    let last = rows.upperBound - (first + (count - 1) * size) * Self.group
    let isWorthwhile = 4 * last >= size * Self.group
    self.rows = rows
    self.first = first
    self.size = isWorthwhile ? size : max(1, groups)
    self.count = isWorthwhile ? count : 1
  }

  subscript(part: Int) -> Range<Int> {
    let start = (first + part * size) * Self.group
    return (start..<start + size * Self.group).clamped(to: rows)
  }
}

extension Worker {
  /// The rows that this thread computes alone, from the first step to the last, where every slice is one row; nil where
  /// it would have more or less to do than others, and threads better help each other.
  public func ownRows(_ slices: [SequenceSlice]) -> Range<Int>? {
    let parts = RowParts(0..<slices.count, threads: count, least: .ofSequences)
    guard count > 1, parts.count == count, slices.allSatisfy({ $0.rows.count == 1 }) else {
      return nil
    }
    // To attend over so many positions takes as long as all else of a token.
    let rest = 600
    func cost(_ slices: some Sequence<SequenceSlice>) -> Int {
      slices.reduce(0) { $0 + rest + $1.end }
    }
    let most = (0..<count).reduce(0) { max($0, cost(slices[parts[$1]])) }
    return 16 * most * count <= 17 * cost(slices) ? parts[index] : nil
  }

  /// Shares ranges of some rows, and waits until all are done. A thread has those of its own part first.
  ///
  /// Every thread must call it, with the same rows.
  public func shareRows(_ rows: Range<Int>, _ body: (Range<Int>) -> Void) {
    let parts = RowParts(rows, threads: count)
    // Some for each thread, so that one that the system holds up leaves its share to the others; but where rows
    // are somebody's, not so few that taking them takes longer.
    let each = (rows.count + Self.rangesPerThread * count - 1) / (Self.rangesPerThread * count)
    let size = max(each, parts.count > 1 ? RowParts.group : 1)
    share(
      parts: parts.count, items: { (parts[$0].count + size - 1) / size }
    ) { part, item in
      let rows = parts[part]
      let start = rows.lowerBound + item * size
      body(start..<min(start + size, rows.upperBound))
    }
  }

  /// Into how many ranges for each thread rows are cut: of a long prompt 16 rows each.
  private static var rangesPerThread: Int { 16 }
}
