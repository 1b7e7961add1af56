/// Joins the symbols of one piece, lowest rank first, leftmost first among equals.
///
/// A heap of candidate pairs over a linked list of symbols: n log n, so that a megabyte without a
/// break takes a fraction of a second.
struct BytePairEncoder {
  let merges: MergeTable
  private var symbols: [Int32] = []
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// rank << 32 | position of the left symbol.
  private var heap: [UInt64] = []

  init(merges: MergeTable) { self.merges = merges }

  /// Appends to `output` what the symbols `piece` join to.
  mutating func encode(_ piece: [Int32], into output: inout [Int]) {
    guard piece.count > 1 else {
      output.append(contentsOf: piece.lazy.map(Int.init))
      return
    }
    symbols = piece
    let count = Int32(piece.count)
    next = (0..<count).map { $0 + 1 == count ? -1 : $0 + 1 }
    previous = (0..<count).map { $0 - 1 }
    heap.removeAll(keepingCapacity: true)
    for position in 0..<count - 1 { propose(position) }
    while let candidate = popLowest() { apply(candidate) }
    var position: Int32 = 0
    while position >= 0 {
      output.append(Int(symbols[Int(position)]))
      position = next[Int(position)]
    }
  }

  private mutating func propose(_ left: Int32) {
    let right = next[Int(left)]
    guard right >= 0,
      let merge = merges.merge(symbols[Int(left)], symbols[Int(right)])
    else { return }
    push(UInt64(UInt32(bitPattern: merge.rank)) << 32 | UInt64(UInt32(bitPattern: left)))
  }

  private mutating func apply(_ candidate: UInt64) {
    let left = Int(candidate & 0xFFFF_FFFF)
    // A candidate is stale when its left symbol is gone or either side has changed since.
    guard symbols[left] >= 0, next[left] >= 0 else { return }
    let right = Int(next[left])
    guard let merge = merges.merge(symbols[left], symbols[right]),
      UInt64(UInt32(bitPattern: merge.rank)) == candidate >> 32
    else { return }
    symbols[left] = merge.result
    symbols[right] = -1
    next[left] = next[right]
    if next[left] >= 0 { previous[Int(next[left])] = Int32(left) }
    if previous[left] >= 0 { propose(previous[left]) }
    propose(Int32(left))
  }

  // MARK: Heap

  private mutating func push(_ value: UInt64) {
    heap.append(value)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func popLowest() -> UInt64? {
    guard let lowest = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return lowest }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return lowest }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { return lowest }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
