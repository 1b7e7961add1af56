import KernelCore

/// Scratch of attention, and how its work is cut.
public final class AttentionWorkspace: @unchecked Sendable {
  // @unchecked Sendable: prepared between runs of a team; in a run, items write their own parts.

  /// Tokens whose queries are taken together: with three heads a group, 24 rows of queries.
  static let tokensPerTile = 8

  let group: Int
  let headSize: Int
  /// Of each worker.
  private let scratch: [AttentionScratch]
  /// Partial results of spans, where spans are shared among threads.
  private var partials = AlignedMemory(byteCount: 0)
  /// Whether each span of a tile is an item of its own: for few tokens, whose tiles alone would leave
  /// threads without work. Results do not depend on it.
  private(set) var sharesSpans = false
  private var mostSpans = 0

  /// - Parameters:
  ///   - group: query heads that share a key-value head.
  ///   - workers: threads that attend.
  public init(group: Int, headSize: Int, workers: Int) {
    self.group = group
    self.headSize = headSize
    scratch = (0..<workers).map { _ in
      AttentionScratch(rows: Self.tokensPerTile * group, headSize: headSize)
    }
  }

  func scratch(of worker: Int) -> AttentionScratch { scratch[worker] }

  /// Floats of a partial result: values [rows, headSize], then largest and total [rows].
  private var partialFloats: Int { group * (headSize + 2) }

  /// Makes room for `slices`. To be called outside of a run.
  public func prepare(for slices: [SequenceSlice]) {
    let most = slices.map(\.end).max() ?? 0
    mostSpans = (most + AttentionSpan.positions - 1) / AttentionSpan.positions
    sharesSpans = mostSpans > 1 && slices.allSatisfy { $0.rows.count == 1 }
    guard sharesSpans, let shape = slices.first?.cache.shape else { return }
    let bytes = slices.count * shape.heads * mostSpans * partialFloats * 4
    if bytes > partials.byteCount { partials = AlignedMemory(byteCount: bytes) }
  }

  /// Where the result of `span` goes, of the token and head with index `item`.
  func partial(_ item: Int, _ span: Int) -> AttentionPartial {
    let values =
      partials.base.assumingMemoryBound(to: Float.self)
      + (item * mostSpans + span) * partialFloats
    return AttentionPartial(
      largest: values + group * headSize, total: values + group * (headSize + 1), values: values)
  }
}

/// What one thread needs for a tile.
final class AttentionScratch: @unchecked Sendable {
  // @unchecked Sendable: one thread uses it.

  private let rows: Int
  private let headSize: Int
  private let memory: AlignedMemory

  init(rows: Int, headSize: Int) {
    self.rows = rows
    self.headSize = headSize
    // Two partial results, two of queries with their scales, scores, and what the rows see.
    let floats = rows * (2 * (headSize + 2) + 2 * (headSize + 1) + AttentionSpan.positions + 1)
    // From the start of a page: elsewhere attention at depth is 5 % slower.
    memory = AlignedMemory(
      byteCount: max(floats * MemoryLayout<Float>.stride, AlignedMemory.smallestMapping))
  }

  private var floats: UnsafeMutablePointer<Float> {
    memory.base.assumingMemoryBound(to: Float.self)
  }

  /// Queries [rows, headSize] and their scales [rows] for keys that lie so: one place for bytes, one for all others.
  func queries(
    for keys: KeyEncoding
  ) -> (values: UnsafeMutablePointer<Float>, scales: UnsafeMutablePointer<Float>) {
    let place = keys == .byte ? 1 : 0
    return (floats + place * rows * headSize, numbers + place * rows)
  }
  /// [rows, AttentionSpan.positions].
  var scores: UnsafeMutablePointer<Float> { floats + 2 * rows * headSize }
  private var numbers: UnsafeMutablePointer<Float> { scores + rows * AttentionSpan.positions }
  /// [rows].
  var visible: UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(numbers + 2 * rows).assumingMemoryBound(to: Int32.self)
  }
  /// The first of two, [rows].
  var running: AttentionPartial { partial(numbers + 3 * rows) }
  /// The second.
  var next: AttentionPartial { partial(numbers + rows * (3 + headSize + 2)) }

  private func partial(_ start: UnsafeMutablePointer<Float>) -> AttentionPartial {
    let sums = start + rows * headSize
    return AttentionPartial(largest: sums, total: sums + rows, values: start)
  }

  /// Stops where a tile has more rows than there is room for.
  func check(rows count: Int) { precondition(count <= rows, "\(count) rows of \(rows)") }
}
