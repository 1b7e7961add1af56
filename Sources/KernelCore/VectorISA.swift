/// What a kernel needs of an instruction set, over a fixed logical vector of 16 float lanes.
///
/// The width is the same for every instruction set on purpose: each lane belongs to one row of a
/// panel (`PanelGeometry`), so a row's sum is formed in the same order whatever the register size,
/// and wider registers only run more lanes in one instruction. AVX2 and AVX-512 give the same bits.
///
/// Every requirement must be implemented `@inline(__always)`: kernels are compiled into the target
/// of the conforming type, with that target's CPU flags.
public protocol VectorISA {
  /// 16 float32 lanes.
  associatedtype Floats
  /// 16 int32 lanes.
  associatedtype Ints
  /// 64 bytes: 16 rows of 4 consecutive columns each.
  associatedtype Bytes

  // MARK: Floats

  static func splat(_ value: Float) -> Floats
  static func load(_ pointer: UnsafePointer<Float>) -> Floats
  static func store(_ value: Floats, _ pointer: UnsafeMutablePointer<Float>)
  static func add(_ a: Floats, _ b: Floats) -> Floats
  static func subtract(_ a: Floats, _ b: Floats) -> Floats
  static func multiply(_ a: Floats, _ b: Floats) -> Floats
  static func divide(_ a: Floats, _ b: Floats) -> Floats
  static func maximum(_ a: Floats, _ b: Floats) -> Floats
  static func minimum(_ a: Floats, _ b: Floats) -> Floats
  static func magnitude(_ a: Floats) -> Floats
  /// `a * b + c`, rounded once where the hardware can.
  static func fma(_ a: Floats, _ b: Floats, _ c: Floats) -> Floats
  /// Lanes of `value` where `test >= bound`, zero elsewhere (and where `test` is NaN).
  static func keep(_ value: Floats, where test: Floats, atLeast bound: Float) -> Floats
  /// Bit i is set where lane i of `a` is at least `b`'s; not where one of them is NaN.
  static func mask(_ a: Floats, atLeast b: Floats) -> UInt32
  /// Lanes 2i and 2i+1 exchanged.
  static func swapPairs(_ a: Floats) -> Floats
  /// Of lanes i and i + distance the sum and the difference, where i lacks the bit `distance`: 1, 2, 4 or 8, a
  /// constant of the caller.
  static func butterfly(_ a: Floats, distance: Int) -> Floats
  /// Sum of the lanes by halving: (i, i+8), (i, i+4), (i, i+2), (i, i+1).
  static func sum(_ a: Floats) -> Float
  /// Largest lane.
  static func largest(_ a: Floats) -> Float
  /// The largest lane of each: `a`'s in lane 0, `b`'s in lane 4, `c`'s in lane 8, `d`'s in lane 12.
  static func largestOfEach(_ a: Floats, _ b: Floats, _ c: Floats, _ d: Floats) -> Floats
  /// Stores lanes 0, 4, 8 and 12, one after the other.
  static func storeFourths(_ a: Floats, _ pointer: UnsafeMutablePointer<Float>)

  /// 16 IEEE half-precision numbers, 32 bytes.
  static func loadHalf(_ pointer: UnsafeRawPointer) -> Floats
  /// Rounds to nearest even.
  static func storeHalf(_ value: Floats, _ pointer: UnsafeMutableRawPointer)
  /// 16 bfloat16 numbers, 32 bytes.
  static func loadBrainFloat(_ pointer: UnsafeRawPointer) -> Floats
  /// Of values that bfloat16 has; others lose the bits that it has not.
  static func storeBrainFloat(_ value: Floats, _ pointer: UnsafeMutableRawPointer)

  // MARK: Ints

  static func splat(_ value: Int32) -> Ints
  static func add(_ a: Ints, _ b: Ints) -> Ints
  /// `a << count`; `count` is a constant of the caller.
  static func shiftLeft(_ a: Ints, _ count: Int32) -> Ints
  /// The sum of the lanes of each, where `largestOfEach` has the largest.
  static func sumOfEach(_ a: Ints, _ b: Ints, _ c: Ints, _ d: Ints) -> Ints
  static func convert(_ a: Ints) -> Floats
  /// To nearest, ties to even. Lanes are within ±2^30.
  static func round(_ a: Floats) -> Ints
  /// The float whose bits are `a`'s.
  static func bits(_ a: Ints) -> Floats
  /// The bits of `a`.
  static func bitPattern(_ a: Floats) -> Ints
  /// Stores the low byte of each lane: 16 bytes.
  static func storeLowBytes(_ a: Ints, _ pointer: UnsafeMutableRawPointer)
  /// Stores the low 16 bits of each lane, which is within int16: 32 bytes.
  static func storeLowHalves(_ a: Ints, _ pointer: UnsafeMutableRawPointer)
  /// The largest power of two that is not above a lane's magnitude; infinity for what is not a number, and zero
  /// for what is less than 2^-126.
  static func powerOfTwo(_ a: Floats) -> Floats
  /// For each lane that of `table` which its low four bits name.
  static func lookup(_ indices: Ints, in table: SIMD16<Int32>) -> Ints
  /// 16 unsigned bytes, widened.
  static func loadUnsignedBytes(_ pointer: UnsafeRawPointer) -> Ints

  // MARK: Bytes

  static func loadBytes(_ pointer: UnsafeRawPointer) -> Bytes
  static func storeBytes(_ value: Bytes, _ pointer: UnsafeMutableRawPointer)
  /// 16 bytes of each of 16 rows, `stride` bytes apart, interleaved: vector s holds bytes 4s to
  /// 4s+3 of every row.
  static func loadRows(_ pointer: UnsafeRawPointer, _ stride: Int) -> (Bytes, Bytes, Bytes, Bytes)
  /// A binary16 number of each of 16 rows, `stride` bytes apart.
  static func loadHalves(_ pointer: UnsafeRawPointer, _ stride: Int) -> Floats
  /// Signed bytes plus 128, as unsigned ones.
  static func flipSigns(_ a: Bytes) -> Bytes
  /// Asks for the cache line of `pointer`, which may lie outside of what may be read.
  static func prefetch(_ pointer: UnsafeRawPointer)
  /// The same, of a line that is not needed soon: into the second level of the caches.
  static func prefetchForLater(_ pointer: UnsafeRawPointer)
  /// The low four bits of each byte.
  static func lowNibbles(_ a: Bytes) -> Bytes
  /// The high four bits of each byte, moved down.
  static func highNibbles(_ a: Bytes) -> Bytes
  /// The bits of each lane's four bytes from bit `shift` on that are set in `mask`.
  static func field(_ a: Bytes, shift: Int, mask: Int32) -> Ints
  /// Adds 16 to byte i where bit i of the 8 bytes at `mask` is set: the fifth bit.
  static func addFifthBits(_ a: Bytes, _ mask: UnsafeRawPointer) -> Bytes

  /// Adds to lane r the products of its two int16 of `pairs` with the two int16 at `other`. All are
  /// within ±32767.
  static func dotPairs(_ sum: Ints, _ pairs: Bytes, _ other: UnsafeRawPointer) -> Ints

  /// Of each lane the low 16 bits of both: `first` below `second`.
  static func pairs(_ first: Ints, _ second: Ints) -> Bytes
  /// A lane's high int16, widened.
  static func highHalves(_ pairs: Bytes) -> Ints

  /// Adds to lane r the products of its four unsigned bytes, less 128 each, with the four signed ones at `signed`, within
  /// ±127. Sums begin with `firstOfOffsetQuads`.
  static func dotOffsetQuads(_ sum: Ints, _ offset: Bytes, signed: UnsafeRawPointer) -> Ints
  /// What sums of `dotOffsetQuads` begin with: `correction`, where it does not subtract 128 itself.
  ///
  /// - Parameter correction: -128 times the sum of the signed bytes.
  static func firstOfOffsetQuads(_ correction: Int32) -> Ints
  /// Bytes of a number that `storeWeights` has stored.
  static var weightBytes: Int { get }
  /// Stores 64 numbers, 0 to 255, as `dotQuads` reads them: those in the lowest 16 bits of the lanes, which are negative.
  static func storeWeights(_ a: (Ints, Ints, Ints, Ints), _ pointer: UnsafeMutableRawPointer)
  /// Adds to lane r the products of its four signed bytes, within ±127, with the four numbers at `weights`.
  static func dotQuads(_ sum: Ints, signed: Bytes, weights: UnsafeRawPointer) -> Ints

  /// Adds to lane r the products of row r's 16 unsigned quants with 16 signed activations.
  ///
  /// - Parameters:
  ///   - weights: four vectors; vector s holds columns 4s to 4s+3 of each row.
  ///   - activations: 16 int8, within ±127.
  ///   - bits: how many bits the quants have, so that an instruction set with narrow sums knows
  ///     how many it may add up. A constant of the caller. Of quants of eight bits sums begin with
  ///     `firstOfOffsetQuads`, and what counts is the quant less 128.
  static func dot(
    _ sum: Ints, _ weights: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer, bits: Int
  ) -> Ints

  /// As the other `dot`, for a tile of tokens.
  ///
  /// No default: each set has its own, even where they are alike, because what several objects emit of this module
  /// is weak, and the linker might keep the one for instructions that a processor lacks.
  ///
  /// - Parameter step: bytes from one token's activations to the next one's, a constant of the caller.
  static func dot<T: TokenTile>(
    _ sums: inout T, _ weights: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
    step: Int, bits: Int
  ) where T.Element == Ints

  // MARK: Four-bit weights, of blocks whose scales are short (`ShortScales`)

  /// What a block's sums of `dotNibbles` begin with.
  static func firstOfNibbles(_ about: UnsafePointer<ActivationBlock>) -> Ints
  /// As `dot` with four bits, of a whole block: sums are in a form of the set's own, and only read by `addScaled`.
  static func dotNibbles<T: TokenTile>(
    _ sums: inout T, _ weights: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
    step: Int
  ) where T.Element == Ints
  /// `sum + first * low + second * high`, where `low` and `high` are the two int16 of a lane of `scales` times the two of
  /// `pair`, the lower 16 bits first, in 32768ths: `(a * b + 16384) >> 15`. Factors are within ±32767.
  ///
  /// - Parameters:
  ///   - first: sums of `dotNibbles` of a block, within ±32512.
  ///   - second: those of the next block, or zeros.
  static func addScaled(
    _ sum: Ints, _ first: Ints, _ second: Ints, _ scales: Bytes, by pair: UInt32
  ) -> Ints

  // MARK: Activations in two planes (`ActivationPrecision.wideLimit`)

  /// Stores the 32 quants of a block in 64 bytes, as `dotWide` reads them.
  static func storeWide(_ first: Ints, _ second: Ints, _ pointer: UnsafeMutableRawPointer)
  /// As `dot` for a tile of tokens, of those columns of a block that `half` names.
  ///
  /// - Parameters:
  ///   - first: columns 0 to 15.
  ///   - second: columns 16 to 31.
  ///   - activations: what `storeWide` has stored.
  static func dotWide<T: TokenTile>(
    _ sums: inout T, _ first: (Bytes, Bytes, Bytes, Bytes), _ second: (Bytes, Bytes, Bytes, Bytes),
    _ half: Half, _ activations: UnsafeRawPointer, step: Int
  ) where T.Element == Ints
}

/// Which columns of a block.
public enum Half { case first, second, both }
