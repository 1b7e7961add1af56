/// The items of a list or tuple, which know how deep the values inside lie: what is nested too deeply
/// could not even be freed, as each level takes some of the stack.
public struct ValueList: Sendable, Hashable {
  let items: [Value]
  /// 1 more than that of the deepest item.
  let depth: Int

  init(_ items: [Value]) {
    self.items = items
    depth = 1 + items.deepest
  }

  public static func == (a: ValueList, b: ValueList) -> Bool { a.items == b.items }
  public func hash(into hasher: inout Hasher) { hasher.combine(items) }
}

extension ValueList: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { items.count }
  public subscript(_ place: Int) -> Value { items[place] }
}

extension Value {
  public static func list(_ items: [Value]) -> Value { .list(ValueList(items)) }
  public static func tuple(_ items: [Value]) -> Value { .tuple(ValueList(items)) }

  /// Levels of values inside: 0 for what holds none.
  var depth: Int {
    switch self {
    case .list(let items), .tuple(let items): items.depth
    case .dictionary(let dictionary): dictionary.depth
    case .object(let object): object.depth
    default: 0
    }
  }
}

extension Sequence<Value> {
  var deepest: Int { reduce(0) { Swift.max($0, $1.depth) } }
}
