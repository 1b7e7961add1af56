/// The states that texts lead to in a network, made as they are met and kept: a lazy deterministic
/// automaton, as in RE2 (Cox 2010), whose states hold stacks of callers as well.
struct StateTable: Sendable {
  /// A place in the network, and what called its rule.
  struct Place: Hashable, Comparable, Sendable {
    let node: Int32
    /// An index of `stacks`; 0 is the empty stack.
    let stack: Int32

    static func < (a: Place, b: Place) -> Bool { (a.node, a.stack) < (b.node, b.stack) }
  }

  struct State: Sendable {
    /// Where the next byte may be read, in order.
    let places: [Place]
    /// Whether the text may end here.
    let isEnd: Bool
    /// Bytes to an end, at least.
    let distance: Int32
  }

  private struct Frame: Hashable, Sendable {
    /// Where the caller goes on.
    let node: Int32
    let stack: Int32
  }

  /// From which no text goes on: without places, and no end.
  static let dead: Int32 = 0

  /// Ways to read one text: more than grammars have that somebody reads.
  static let mostPlaces = 4096
  /// Then the table should be made anew (`isFull`).
  private static let mostStates = 1 << 13
  private static let mostStacks = 1 << 17
  /// Of all states together; a grammar that gets there within one step is meant to.
  private static let mostPlacesInAll = 1 << 22

  let network: Network
  let distances: Distances
  private(set) var states: [State] = []
  private var stateIDs: [[Place]: [Int32]] = [:]
  private var placesInAll = 0
  private var stacks: [(frame: Frame, distance: Int32)] = [(Frame(node: -1, stack: -1), 0)]
  private var stackIDs: [Frame: Int32] = [:]
  /// [state, byte class]; -1 is not known yet.
  private var transitions: [Int32] = []
  /// Bytes that the grammar does not tell apart have one class.
  private let classes: [UInt8]
  /// A byte of each class.
  private let classBytes: [UInt8]
  /// Nodes after which nothing comes but the end of the rule: calls before them need no frame.
  private let isTail: [Bool]

  init(_ network: Network, _ distances: Distances) {
    self.network = network
    self.distances = distances
    (classes, classBytes) = Self.byteClasses(network)
    isTail = network.nodes.map { node in
      var node = node
      for _ in 0..<8 {
        if !node.edges.isEmpty || !node.calls.isEmpty { return false }
        if node.isEnd { return node.jumps.isEmpty }
        guard node.jumps.count == 1 else { return false }
        node = network.nodes[Int(node.jumps[0])]
      }
      return false
    }
    add(State(places: [], isEnd: false, distance: Distances.never))
  }

  var isFull: Bool {
    states.count > Self.mostStates || stacks.count > Self.mostStacks
      || placesInAll > Self.mostPlacesInAll / 2
  }

  private static func byteClasses(_ network: Network) -> ([UInt8], [UInt8]) {
    var begins = [Bool](repeating: false, count: 257)
    begins[0] = true
    for node in network.nodes {
      for edge in node.edges {
        begins[Int(edge.bytes.lowerBound)] = true
        begins[Int(edge.bytes.upperBound) + 1] = true
      }
    }
    var classes: [UInt8] = []
    var bytes: [UInt8] = []
    for byte in UInt8.min...UInt8.max {
      if begins[Int(byte)] { bytes.append(byte) }
      classes.append(UInt8(bytes.count - 1))
    }
    return (classes, bytes)
  }

  // MARK: States

  /// - Throws: `GrammarError.tooLarge`.
  mutating func start() throws(GrammarError) -> Int32 {
    try state(of: [Place(node: network.starts[network.root], stack: 0)])
  }

  /// Where `byte` leads; `dead` where nowhere.
  mutating func next(_ state: Int32, _ byte: UInt8) throws(GrammarError) -> Int32 {
    let place = Int(state) * classBytes.count + Int(classes[Int(byte)])
    let known = transitions[place]
    if known >= 0 { return known }
    let byte = classBytes[Int(classes[Int(byte)])]
    var targets: [Place] = []
    for from in states[Int(state)].places { targets += self.targets(of: from, byte) }
    let new = try self.state(of: targets)
    transitions[place] = new
    return new
  }

  private func targets(of place: Place, _ byte: UInt8) -> [Place] {
    network.nodes[Int(place.node)].edges.compactMap { edge in
      edge.bytes.contains(byte) ? Place(node: edge.target, stack: place.stack) : nil
    }
  }

  /// The state at which a rule's caller goes on after the rule; nil of the empty stack.
  mutating func stateAfterReturn(_ stack: Int32) throws(GrammarError) -> Int32? {
    guard stack != 0 else { return nil }
    let frame = stacks[Int(stack)].frame
    return try state(of: [Place(node: frame.node, stack: frame.stack)])
  }

  /// The state of `place` alone, without what is reached from it without reading.
  mutating func state(alone place: Place) -> Int32 { intern([place], isEnd: false) }

  func distance(ofStack stack: Int32) -> Int32 { stacks[Int(stack)].distance }

  /// The state of `places` and of all that is reached from them without reading.
  private mutating func state(of places: [Place]) throws(GrammarError) -> Int32 {
    var seen = Set(places)
    var open = places
    var reading: [Place] = []
    var isEnd = false
    func visit(_ place: Place) {
      if seen.insert(place).inserted { open.append(place) }
    }
    while let place = open.popLast() {
      guard seen.count <= Self.mostPlaces else {
        throw .tooLarge("ways to read the same text", limit: Self.mostPlaces)
      }
      guard distance(of: place) < Distances.never else { continue }
      let node = network.nodes[Int(place.node)]
      if !node.edges.isEmpty { reading.append(place) }
      for next in node.jumps { visit(Place(node: next, stack: place.stack)) }
      for call in node.calls {
        let stack =
          isTail[Int(call.next)] ? place.stack : push(Frame(node: call.next, stack: place.stack))
        visit(Place(node: network.starts[Int(call.rule)], stack: stack))
      }
      guard node.isEnd else { continue }
      if place.stack == 0 {
        isEnd = true
      } else {
        let frame = stacks[Int(place.stack)].frame
        visit(Place(node: frame.node, stack: frame.stack))
      }
    }
    reading.sort()
    guard placesInAll < Self.mostPlacesInAll, stacks.count < 8 * Self.mostStacks else {
      throw .tooLarge("places that texts lead to", limit: Self.mostPlacesInAll)
    }
    return intern(reading, isEnd: isEnd)
  }

  private func distance(of place: Place) -> Int32 {
    Distances.sum(distances.ofNode[Int(place.node)], stacks[Int(place.stack)].distance)
  }

  private mutating func push(_ frame: Frame) -> Int32 {
    if let id = stackIDs[frame] { return id }
    let id = Int32(stacks.count)
    stacks.append(
      (frame, Distances.sum(distances.ofNode[Int(frame.node)], stacks[Int(frame.stack)].distance)))
    stackIDs[frame] = id
    return id
  }

  private mutating func intern(_ places: [Place], isEnd: Bool) -> Int32 {
    for id in stateIDs[places] ?? [] where states[Int(id)].isEnd == isEnd { return id }
    let distance = isEnd ? 0 : places.map(distance(of:)).min() ?? Distances.never
    return add(State(places: places, isEnd: isEnd, distance: distance))
  }

  @discardableResult
  private mutating func add(_ state: State) -> Int32 {
    let id = Int32(states.count)
    states.append(state)
    // What a state takes itself counts as well.
    placesInAll += 64 + state.places.count
    stateIDs[state.places, default: []].append(id)
    transitions.append(contentsOf: repeatElement(-1, count: classBytes.count))
    return id
  }
}
