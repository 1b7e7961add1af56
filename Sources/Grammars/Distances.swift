/// How many bytes it takes at least, from each node of a network, to the end of its rule.
struct Distances: Sendable {
  /// Of a node from which no end is reached.
  static let never = Int32.max

  private(set) var ofNode: [Int32]

  /// - Parameter isAvailable: whether a byte can be written at all.
  init(_ network: Network, isAvailable: (UInt8) -> Bool) {
    let nodes = network.nodes
    var distances = [Int32](repeating: Self.never, count: nodes.count)
    // Who has to be looked at again where a node's distance changes.
    var users = [[Int32]](repeating: [], count: nodes.count)
    var open: [Int32] = []
    for (index, node) in nodes.enumerated() {
      let index = Int32(index)
      if node.isEnd {
        distances[Int(index)] = 0
        open.append(index)
      }
      for edge in node.edges where edge.bytes.contains(where: isAvailable) {
        users[Int(edge.target)].append(index)
      }
      for next in node.jumps { users[Int(next)].append(index) }
      for call in node.calls {
        users[Int(call.next)].append(index)
        users[Int(network.starts[Int(call.rule)])].append(index)
      }
    }
    func distance(_ node: Network.Node) -> Int32 {
      var best = node.isEnd ? 0 : Self.never
      for edge in node.edges where edge.bytes.contains(where: isAvailable) {
        best = min(best, Self.sum(distances[Int(edge.target)], 1))
      }
      for next in node.jumps { best = min(best, distances[Int(next)]) }
      for call in node.calls {
        let inside = distances[Int(network.starts[Int(call.rule)])]
        best = min(best, Self.sum(inside, distances[Int(call.next)]))
      }
      return best
    }
    // Nearest first, roughly: a queue, so that long chains are walked once.
    var head = 0
    while head < open.count {
      for user in users[Int(open[head])] {
        let new = distance(nodes[Int(user)])
        guard new < distances[Int(user)] else { continue }
        distances[Int(user)] = new
        open.append(user)
      }
      head += 1
    }
    ofNode = distances
  }

  static func sum(_ a: Int32, _ b: Int32) -> Int32 {
    let (sum, isOver) = a.addingReportingOverflow(b)
    return isOver || a == never || b == never ? never : sum
  }
}
