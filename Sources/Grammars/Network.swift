/// A grammar as a recursive transition network (Woods 1970): a graph of nodes, whose edges read a byte, call
/// a rule, or read nothing.
struct Network: Sendable {
  struct Edge: Sendable {
    let bytes: ClosedRange<UInt8>
    let target: Int32
  }

  struct Call: Sendable {
    let rule: Int32
    /// Where the text goes on after the rule.
    let next: Int32
  }

  struct Node: Sendable {
    var edges: [Edge] = []
    var calls: [Call] = []
    /// Nodes that are reached without reading.
    var jumps: [Int32] = []
    var isEnd = false
  }

  private(set) var nodes: [Node] = []
  /// The first node of each rule.
  private(set) var starts: [Int32] = []
  let names: [String]
  let root: Int

  /// Far more than a grammar needs that somebody reads, and little memory.
  static let mostNodes = 1 << 18

  /// - Throws: `GrammarError.tooLarge`, `.leftRecursion`.
  init(_ grammar: Grammar) throws(GrammarError) {
    names = grammar.rules.map(\.name)
    root = grammar.root
    for _ in grammar.rules { starts.append(try add()) }
    for (rule, start) in zip(grammar.rules, starts) {
      let end = try build(rule.body, from: start)
      nodes[Int(end)].isEnd = true
    }
    try refuseLeftRecursion()
  }

  // MARK: Building (Thompson 1968). No edge that is added leads to the node that a part begins with.

  private mutating func add() throws(GrammarError) -> Int32 {
    guard nodes.count < Self.mostNodes else { throw .tooLarge("states", limit: Self.mostNodes) }
    nodes.append(Node())
    return Int32(nodes.count - 1)
  }

  private mutating func jump(_ from: Int32, _ to: Int32) { nodes[Int(from)].jumps.append(to) }

  private mutating func build(_ expression: Grammar.Expression, from start: Int32)
    throws(GrammarError) -> Int32
  {
    switch expression {
    case .characters(let set): return try build(set, from: start)
    case .sequence(let parts):
      var node = start
      for part in parts { node = try build(part, from: node) }
      return node
    case .choice(let choices):
      let end = try add()
      for choice in choices { jump(try build(choice, from: start), end) }
      return end
    case .rule(let rule):
      let end = try add()
      nodes[Int(start)].calls.append(Call(rule: Int32(rule), next: end))
      return end
    case .repetition(let part, let least, let most):
      return try build(repeating: part, least, most, from: start)
    case .automaton(let automaton): return try build(automaton, from: start)
    }
  }

  private mutating func build(
    repeating part: Grammar.Expression, _ least: Int, _ most: Int?, from start: Int32
  ) throws(GrammarError) -> Int32 {
    /// A node of its own for each turn, so that the limit of nodes is one of time as well.
    func turn(after node: Int32) throws(GrammarError) -> Int32 {
      let next = try add()
      jump(node, next)
      return next
    }
    var node = start
    for _ in 0..<least { node = try build(part, from: try turn(after: node)) }
    guard let most else {
      let loop = try turn(after: node)
      jump(try build(part, from: loop), loop)
      return loop
    }
    let end = try add()
    for _ in least..<most {
      jump(node, end)
      node = try build(part, from: try turn(after: node))
    }
    jump(node, end)
    return end
  }

  private mutating func build(_ set: ScalarRanges, from start: Int32) throws(GrammarError) -> Int32
  {
    let end = try add()
    // What encodings end with alike is there once.
    var tails: [ArraySlice<ClosedRange<UInt8>>: Int32] = [[]: end]
    for encoding in set.encodings {
      var target = end
      for place in encoding.indices.dropFirst().reversed() {
        let tail = encoding[place...]
        if let known = tails[tail] {
          target = known
        } else {
          let node = try add()
          nodes[Int(node)].edges.append(Edge(bytes: encoding[place], target: target))
          tails[tail] = node
          target = node
        }
      }
      nodes[Int(start)].edges.append(Edge(bytes: encoding[0], target: target))
    }
    return end
  }

  private mutating func build(_ automaton: ByteAutomaton, from start: Int32) throws(GrammarError)
    -> Int32
  {
    let end = try add()
    var states: [Int32] = []
    for _ in automaton.edges { states.append(try add()) }
    jump(start, states[0])
    for (state, edges) in zip(states, automaton.edges) {
      nodes[Int(state)].edges = edges.map { Edge(bytes: $0.bytes, target: states[$0.target]) }
    }
    for state in automaton.ends { jump(states[state], end) }
    return end
  }

  // MARK: Left recursion

  /// The rules that may stand for nothing.
  private func emptyRules() -> [Bool] {
    var isEmpty = [Bool](repeating: false, count: starts.count)
    var isChanging = true
    while isChanging {
      isChanging = false
      for rule in starts.indices where !isEmpty[rule] {
        if reach(rule, isEmpty, { _ in }) {
          isEmpty[rule] = true
          isChanging = true
        }
      }
    }
    return isEmpty
  }

  /// Calls `body` with the rules that a text of `rule` may begin with; whether it may be empty.
  private func reach(_ rule: Int, _ isEmpty: [Bool], _ body: (Int) -> Void) -> Bool {
    var seen: Set<Int32> = [starts[rule]]
    var open = [starts[rule]]
    var reachesEnd = false
    while let node = open.popLast() {
      let node = nodes[Int(node)]
      reachesEnd = reachesEnd || node.isEnd
      for next in node.jumps where seen.insert(next).inserted { open.append(next) }
      for call in node.calls {
        body(Int(call.rule))
        if isEmpty[Int(call.rule)], seen.insert(call.next).inserted { open.append(call.next) }
      }
    }
    return reachesEnd
  }

  private func refuseLeftRecursion() throws(GrammarError) {
    let isEmpty = emptyRules()
    var first = [Set<Int>](repeating: [], count: starts.count)
    for rule in starts.indices { _ = reach(rule, isEmpty) { first[rule].insert($0) } }
    // Rules leave once all that they may begin with have left; those of a cycle stay.
    var left = [Bool](repeating: false, count: starts.count)
    var waiting = first.map(\.count)
    var users = [[Int]](repeating: [], count: starts.count)
    for (rule, begins) in first.enumerated() { for begin in begins { users[begin].append(rule) } }
    var open = waiting.indices.filter { waiting[$0] == 0 }
    while let rule = open.popLast() {
      left[rule] = true
      for user in users[rule] {
        waiting[user] -= 1
        if waiting[user] == 0 { open.append(user) }
      }
    }
    guard var rule = left.firstIndex(of: false) else { return }
    // One that stays may only lead to a cycle; go on until one comes again.
    var seen: Set<Int> = []
    while seen.insert(rule).inserted { rule = first[rule].first { !left[$0] } ?? rule }
    throw .leftRecursion(names[rule])
  }
}
