/// A fixed number of accumulators that live in registers, one per token of a tile.
///
/// Tiles are built by pairing smaller ones, so that the compiler sees plain struct fields and
/// unrolls `forEach` completely; an array or a loop over a tuple would go through memory.
public protocol TokenTile {
  associatedtype Element
  static var count: Int { get }
  init(repeating value: Element)
  /// The accumulator of `index`, a constant of the caller.
  subscript(index: Int) -> Element { get }
  /// Calls `body` with each index, counted from `base`, and its accumulator.
  mutating func forEach(_ base: Int, _ body: (Int, inout Element) -> Void)
}

extension TokenTile {
  @inlinable @inline(__always)
  public mutating func forEach(_ body: (Int, inout Element) -> Void) { forEach(0, body) }
}

public struct Single<Element>: TokenTile {
  @usableFromInline var value: Element

  @inlinable @inline(__always)
  public static var count: Int { 1 }

  @inlinable @inline(__always)
  public init(repeating value: Element) { self.value = value }

  @inlinable @inline(__always)
  public subscript(index: Int) -> Element { value }

  @inlinable @inline(__always)
  public mutating func forEach(_ base: Int, _ body: (Int, inout Element) -> Void) {
    body(base, &value)
  }
}

public struct Pair<First: TokenTile, Second: TokenTile>: TokenTile
where First.Element == Second.Element {
  @usableFromInline var first: First
  @usableFromInline var second: Second

  @inlinable @inline(__always)
  public static var count: Int { First.count &+ Second.count }

  @inlinable @inline(__always)
  public init(repeating value: First.Element) {
    first = First(repeating: value)
    second = Second(repeating: value)
  }

  @inlinable @inline(__always)
  public subscript(index: Int) -> First.Element {
    index < First.count ? first[index] : second[index &- First.count]
  }

  @inlinable @inline(__always)
  public mutating func forEach(_ base: Int, _ body: (Int, inout First.Element) -> Void) {
    first.forEach(base, body)
    second.forEach(base &+ First.count, body)
  }
}

public typealias Tile2<E> = Pair<Single<E>, Single<E>>
public typealias Tile3<E> = Pair<Tile2<E>, Single<E>>
public typealias Tile4<E> = Pair<Tile2<E>, Tile2<E>>
public typealias Tile8<E> = Pair<Tile4<E>, Tile4<E>>
