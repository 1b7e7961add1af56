/// How keys in fixed point lie in memory, and how they are multiplied with queries.
///
/// A vector has `step` consecutive columns of 16 keys, and is multiplied with four bytes of a query's quants. Sums are
/// integers: the same on every instruction set, in any order.
public protocol KeyStorage {
  /// Bytes of a value.
  static var bytes: Int { get }
  /// Columns of a key that a lane has.
  static var step: Int { get }
  /// What the norm of a key's quants, or the largest of them, may be.
  static var limit: Float { get }
  static var scalesByNorm: Bool { get }
  /// Added to the quants.
  static var offset: Int32 { get }
  /// Whether queries and keys are mixed before they are quantized (`mixHead`).
  static var mixes: Bool { get }
  /// Positions of a row whose weights share a scale, 32 or 64.
  static var weightGroup: Int { get }

  /// Stores 16 quants.
  static func store<I: VectorISA>(
    _ isa: I.Type, _ quants: I.Ints, _ target: UnsafeMutableRawPointer)
  /// Replaces a query [count] by its quants, and what else is kept of it behind them.
  ///
  /// - Returns: the quants' scale.
  static func quantizeQuery<I: VectorISA>(
    _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, count: Int
  ) -> Float
  /// What sums of a query's scores begin with.
  static func firstScore<I: VectorISA>(_ isa: I.Type, _ query: UnsafeRawPointer, count: Int)
    -> I.Ints
  /// Adds products of a vector of keys and a query's quants.
  static func addScores<I: VectorISA>(
    _ isa: I.Type, _ sum: I.Ints, _ keys: I.Bytes, _ query: UnsafeRawPointer
  ) -> I.Ints
  /// The largest norm of the span's keys, which is full.
  static func largestNorm<I: VectorISA>(_ isa: I.Type, _ span: AttentionSpan) -> Float
  /// The norm of a row's query.
  static func queryNorm(_ span: AttentionSpan, _ row: Int) -> Float
}
