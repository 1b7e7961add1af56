/// How one floating-point format is read, 16 values at a time.
public protocol FloatFormat {
  static var bytes: Int { get }
  static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Floats
}

/// IEEE 754 binary32.
public enum SinglePrecision: FloatFormat {
  @inlinable @inline(__always) public static var bytes: Int { 4 }
  @inlinable @inline(__always)
  public static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Floats {
    I.load(pointer.assumingMemoryBound(to: Float.self))
  }
}

/// IEEE 754 binary16.
public enum HalfPrecision: FloatFormat {
  @inlinable @inline(__always) public static var bytes: Int { 2 }
  @inlinable @inline(__always)
  public static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Floats {
    I.loadHalf(pointer)
  }
}

/// bfloat16: the upper half of a binary32.
public enum BrainFloat: FloatFormat {
  @inlinable @inline(__always) public static var bytes: Int { 2 }
  @inlinable @inline(__always)
  public static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Floats {
    I.loadBrainFloat(pointer)
  }
}

/// Panels of floating-point numbers, one after the other: 16 rows interleaved, one vector a column.
public struct FloatPanels {
  public var values: UnsafeRawPointer
  /// Bytes from one column's vector to the next.
  public var columnStride: Int
  public var columns: Int
  /// Bytes from one panel to the next.
  public var panelStride: Int

  @inlinable
  public init(values: UnsafeRawPointer, columnStride: Int, columns: Int, panelStride: Int) {
    self.values = values
    self.columnStride = columnStride
    self.columns = columns
    self.panelStride = panelStride
  }
}

/// float32 [tokens, columns] x floating-point panels -> float32 [tokens, rows].
///
/// Each result is summed column by column, so that it does not depend on tile or batch.
///
/// - Parameter inputStride: floats from one token's row to the next.
@inlinable @inline(__always)
public func floatMatmul<I: VectorISA, F: FloatFormat>(
  _ isa: I.Type, _ format: F.Type, largestTile: Int,
  weights: UnsafeRawPointer, panels: Range<Int>, columns: Int,
  input: UnsafePointer<Float>, inputStride: Int, tokens: Int, output: OutputRows
) {
  let columnStride = PanelGeometry.rows &* F.bytes
  let weights = FloatPanels(
    values: weights, columnStride: columnStride, columns: columns,
    panelStride: columns &* columnStride)
  var panel = panels.lowerBound
  if tokens == 1 {
    while panels.upperBound &- panel >= 4 {
      fourPanels(isa, format, weights, input, output, panel)
      panel &+= 4
    }
  }
  while panel < panels.upperBound {
    floatPanel(
      isa, format, largestTile: largestTile, weights, input, inputStride, tokens, output, panel)
    panel &+= 1
  }
}

/// Four panels times one token: chains enough to hide how long an addition takes.
@inlinable @inline(__always)
func fourPanels<I: VectorISA, F: FloatFormat>(
  _ isa: I.Type, _ format: F.Type, _ weights: FloatPanels, _ input: UnsafePointer<Float>,
  _ output: OutputRows, _ panel: Int
) {
  let stride = weights.panelStride
  let values = weights.values + panel &* stride
  var a = I.splat(Float(0))
  var b = I.splat(Float(0))
  var c = I.splat(Float(0))
  var d = I.splat(Float(0))
  var column = 0
  while column < weights.columns {
    let first = values + column &* weights.columnStride
    let value = I.splat(input[column])
    a = I.fma(F.load(isa, first), value, a)
    b = I.fma(F.load(isa, first + stride), value, b)
    c = I.fma(F.load(isa, first + 2 &* stride), value, c)
    d = I.fma(F.load(isa, first + 3 &* stride), value, d)
    column &+= 1
  }
  output.write(isa, a, token: 0, panel: panel)
  output.write(isa, b, token: 0, panel: panel &+ 1)
  output.write(isa, c, token: 0, panel: panel &+ 2)
  output.write(isa, d, token: 0, panel: panel &+ 3)
}

/// One panel times all tokens, in tiles.
@inlinable @inline(__always)
func floatPanel<I: VectorISA, F: FloatFormat>(
  _ isa: I.Type, _ format: F.Type, largestTile: Int, _ weights: FloatPanels,
  _ input: UnsafePointer<Float>, _ inputStride: Int, _ tokens: Int, _ output: OutputRows,
  _ panel: Int
) {
  var token = 0
  if largestTile >= 8 {
    while tokens &- token >= 8 {
      floatTile(
        isa, format, Tile8<I.Floats>.self, weights, input, inputStride, token, output, panel)
      token &+= 8
    }
  }
  while tokens &- token >= 4 {
    floatTile(isa, format, Tile4<I.Floats>.self, weights, input, inputStride, token, output, panel)
    token &+= 4
  }
  // Three is the number of query heads that share a key in the SmolLM2 family.
  if tokens &- token == 3 {
    floatTile(isa, format, Tile3<I.Floats>.self, weights, input, inputStride, token, output, panel)
    return
  }
  if tokens &- token == 2 {
    floatTile(isa, format, Tile2<I.Floats>.self, weights, input, inputStride, token, output, panel)
    return
  }
  if tokens &- token == 1 {
    floatTile(isa, format, Single<I.Floats>.self, weights, input, inputStride, token, output, panel)
  }
}

@inlinable @inline(__always)
func floatTile<I: VectorISA, F: FloatFormat, T: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ tile: T.Type, _ weights: FloatPanels,
  _ input: UnsafePointer<Float>, _ inputStride: Int, _ token: Int, _ output: OutputRows,
  _ panel: Int
) where T.Element == I.Floats {
  let input = input + token &* inputStride
  let values = weights.values + panel &* weights.panelStride
  var sums = T(repeating: I.splat(Float(0)))
  var column = 0
  while column < weights.columns {
    let weight = F.load(isa, values + column &* weights.columnStride)
    sums.forEach { index, sum in
      sum = I.fma(weight, I.splat(input[index &* inputStride &+ column]), sum)
    }
    column &+= 1
  }
  sums.forEach { index, sum in
    output.write(isa, sum, token: token &+ index, panel: panel)
  }
}
