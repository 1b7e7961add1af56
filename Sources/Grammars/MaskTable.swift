/// Which tokens may come next in each state, made as states are met and kept.
///
/// A token is allowed where its bytes lead to a state that has an end. Most tokens stay within the rule
/// that is being read, whatever called it: they are looked up once for each node of the network, and
/// only tokens that end the rule are looked up for each caller (as in XGrammar, Dong et al. 2024).
struct MaskTable: Sendable {
  /// What may come next in one state.
  struct Entry: Sendable {
    let mask: TokenMask
    /// The most bytes that it may take to an end after one of the tokens.
    let farthest: Int32
  }

  /// Tokens that may be read from one node, whoever called its rule.
  private enum Local: Sendable {
    /// `escapes`: nodes of the tree at which the rule may be over.
    case few([Int32], farthest: Int32, escapes: [Int32])
    case many(TokenMask, farthest: Int32, escapes: [Int32])
    /// The rule may be over nearly everywhere: callers have to be walked one by one.
    case open
  }

  /// Beyond which a mask is smaller than a list.
  private static let fewest = 256
  private static let mostEscapes = 8192
  private static let mostMasks = 2048

  let trie: TokenTrie
  private var states: StateTable
  private var locals: [Int32: Local] = [:]
  private var entries: [Int32: Entry] = [:]
  /// The states of the walk, by depth.
  private var path: [Int32]

  init(_ network: Network, _ trie: TokenTrie) {
    self.trie = trie
    states = StateTable(network, Distances(network) { trie.hasByte[Int($0)] })
    path = [Int32](repeating: 0, count: trie.deepest + 2)
  }

  /// Whether the table has grown so that it should be made anew.
  var isFull: Bool { states.isFull || entries.count > Self.mostMasks }

  mutating func start() throws(GrammarError) -> Int32 { try states.start() }

  func state(_ id: Int32) -> StateTable.State { states.states[Int(id)] }

  /// Where `bytes` lead; `StateTable.dead` where nowhere.
  mutating func next(_ state: Int32, _ bytes: some Sequence<UInt8>) throws(GrammarError) -> Int32 {
    var state = state
    for byte in bytes where state != StateTable.dead { state = try states.next(state, byte) }
    return state
  }

  /// - Throws: `GrammarError.tooLarge`.
  mutating func entry(_ state: Int32) throws(GrammarError) -> Entry {
    if let known = entries[state] { return known }
    var mask = TokenMask(vocabularySize: trie.vocabularySize)
    var farthest: Int32 = 0
    for place in states.states[Int(state)].places {
      try add(place, to: &mask, &farthest)
    }
    let entry = Entry(mask: mask, farthest: farthest)
    entries[state] = entry
    return entry
  }

  /// The tokens after which it takes at most `limit` bytes to an end; where there are none, those after
  /// which it takes the fewest.
  mutating func closing(_ state: Int32, within limit: Int32) throws(GrammarError) -> TokenMask {
    var mask = TokenMask(vocabularySize: trie.vocabularySize)
    var nearest = TokenMask(vocabularySize: trie.vocabularySize)
    var best = Distances.never
    try walk(from: state, below: nil) { trie, node, state in
      for token in trie.tokens(at: node) {
        if state.distance <= limit { mask.insert(token) }
        if state.distance < best {
          best = state.distance
          nearest = TokenMask(vocabularySize: trie.vocabularySize)
        }
        if state.distance == best { nearest.insert(token) }
      }
      return true
    }
    return mask.isEmpty ? nearest : mask
  }

  private mutating func add(
    _ place: StateTable.Place, to mask: inout TokenMask, _ farthest: inout Int32
  ) throws(GrammarError) {
    let outside = states.distance(ofStack: place.stack)
    var escapes: [Int32] = []
    switch try local(place.node) {
    case .few(let tokens, let most, let nodes):
      for token in tokens { mask.insert(Int(token)) }
      farthest = max(farthest, Distances.sum(most, outside))
      escapes = nodes
    case .many(let tokens, let most, let nodes):
      mask.formUnion(tokens)
      farthest = max(farthest, Distances.sum(most, outside))
      escapes = nodes
    case .open:
      let state = states.state(alone: place)
      try walk(from: state, below: nil) { trie, node, state in
        let tokens = trie.tokens(at: node)
        for token in tokens { mask.insert(token) }
        if !tokens.isEmpty { farthest = max(farthest, state.distance) }
        return true
      }
    }
    guard !escapes.isEmpty, let caller = try states.stateAfterReturn(place.stack) else { return }
    for escape in escapes {
      try walk(from: caller, below: escape) { trie, node, state in
        let tokens = trie.tokens(at: node)
        for token in tokens { mask.insert(token) }
        if !tokens.isEmpty { farthest = max(farthest, state.distance) }
        return true
      }
    }
  }

  private mutating func local(_ node: Int32) throws(GrammarError) -> Local {
    if let known = locals[node] { return known }
    var tokens: [Int32] = []
    var escapes: [Int32] = []
    var farthest: Int32 = 0
    let state = states.state(alone: StateTable.Place(node: node, stack: 0))
    try walk(from: state, below: nil) { trie, node, state in
      if state.isEnd { escapes.append(node) }
      let ending = trie.tokens(at: node)
      for token in ending { tokens.append(Int32(token)) }
      if !ending.isEmpty { farthest = max(farthest, state.distance) }
      return escapes.count <= Self.mostEscapes
    }
    let local: Local
    if escapes.count > Self.mostEscapes {
      local = .open
    } else if tokens.count <= Self.fewest {
      local = .few(tokens, farthest: farthest, escapes: escapes)
    } else {
      var mask = TokenMask(vocabularySize: trie.vocabularySize)
      for token in tokens { mask.insert(Int(token)) }
      local = .many(mask, farthest: farthest, escapes: escapes)
    }
    locals[node] = local
    return local
  }

  /// Calls `visit` with each node of the tree (below `top`, if given) whose bytes lead from `state` to a
  /// living state, and that state, until it returns false.
  private mutating func walk(
    from state: Int32, below top: Int32?,
    _ visit: (TokenTrie, Int32, StateTable.State) -> Bool
  ) throws(GrammarError) {
    let trie = trie
    var node = top.map { Int($0) + 1 } ?? 0
    let end = top.map { Int(trie.ends[Int($0)]) } ?? trie.bytes.count
    guard node < end else { return }
    path[Int(trie.depths[node])] = state
    while node < end {
      let depth = Int(trie.depths[node])
      let next = try states.next(path[depth], trie.bytes[node])
      guard next != StateTable.dead else {
        node = Int(trie.ends[node])
        continue
      }
      path[depth + 1] = next
      guard visit(trie, Int32(node), states.states[Int(next)]) else { return }
      node += 1
    }
  }
}

extension TokenTrie {
  /// The tokens that end at a node.
  fileprivate func tokens(at node: Int32) -> LazyMapSequence<ArraySlice<Int32>, Int> {
    tokens[Int(firstTokens[Int(node)])..<Int(firstTokens[Int(node) + 1])].lazy.map { Int($0) }
  }
}
