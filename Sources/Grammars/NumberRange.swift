/// The decimal numbers between two bounds that have a few digits after the point.
struct NumberRange: Sendable {
  /// 10 to the power of it fits into 64 bits.
  static let mostDigits = 18
  /// Decimal numbers of so many digits are doubles of their own (IEEE 754): none is rounded onto a bound.
  static let exactDigits = 15
  private static let mostStates = 1 << 14

  /// The bounds, both in the range, times ten to the power of `fractionDigits`.
  let lowest: Int
  let highest: Int
  let fractionDigits: Int
  /// Only multiples of it; of whole numbers alone.
  let divisor: Int

  /// An automaton of the numbers' texts, of which each number has one, but for zeros after the point; nil
  /// where there are none, or too many states.
  var automaton: ByteAutomaton? {
    var builder = Builder(fractionDigits: fractionDigits, divisor: divisor)
    let start = builder.add()
    if lowest < 0 {
      let minus = builder.add()
      builder.edges[start].append(
        .init(bytes: UInt8(ascii: "-")...UInt8(ascii: "-"), target: minus))
      builder.numbers(from: minus, (max(1, -min(highest, 0)))...(-lowest))
    }
    if highest >= 0 { builder.numbers(from: start, max(0, lowest)...highest) }
    guard !builder.ends.isEmpty, builder.edges.count < Self.mostStates else { return nil }
    return ByteAutomaton(edges: builder.edges, ends: builder.ends)
  }

  /// Builds an automaton, one number of digits after the other.
  private struct Builder {
    let fractionDigits: Int
    let divisor: Int
    var edges: [[ByteAutomaton.Edge]] = []
    var ends: Set<Int> = []

    init(fractionDigits: Int, divisor: Int) {
      self.fractionDigits = fractionDigits
      self.divisor = divisor
    }

    mutating func add() -> Int {
      edges.append([])
      return edges.count - 1
    }

    /// Where a prefix stands: whether its digits are those of a bound, and its remainder.
    private struct Prefix: Hashable {
      let isLowest: Bool
      let isHighest: Bool
      let remainder: Int
    }

    /// - Parameter range: no negative numbers.
    mutating func numbers(from start: Int, _ range: ClosedRange<Int>) {
      let unit = NumberRange.power(fractionDigits)
      var smallest = 0
      var next = 10 * unit
      while true {
        let part = range.clamped(to: smallest...(next - 1))
        if part.lowerBound >= smallest, part.upperBound < next,
          range.overlaps(smallest...(next - 1))
        {
          numbers(from: start, part, digits: String(next / unit - 1).count)
        }
        let (following, isOver) = next.multipliedReportingOverflow(by: 10)
        if isOver || next > range.upperBound { return }
        (smallest, next) = (next, following)
      }
    }

    /// Numbers with `digits` digits before the point.
    private mutating func numbers(from start: Int, _ range: ClosedRange<Int>, digits: Int) {
      let count = digits + fractionDigits
      let low = NumberRange.digits(range.lowerBound, count: count)
      let high = NumberRange.digits(range.upperBound, count: count)
      var states = [Prefix(isLowest: true, isHighest: true, remainder: 0): start]
      for place in 0..<count {
        if place == digits {
          // The point.
          var afterPoint: [Prefix: Int] = [:]
          for (prefix, state) in states.sorted(by: { $0.value < $1.value }) {
            let target = add()
            edges[state].append(.init(bytes: UInt8(ascii: ".")...UInt8(ascii: "."), target: target))
            afterPoint[prefix] = target
          }
          states = afterPoint
        }
        var following: [Prefix: Int] = [:]
        for (prefix, state) in states.sorted(by: { $0.value < $1.value }) {
          guard edges.count < NumberRange.mostStates else { return }
          for digit in (prefix.isLowest ? low[place] : 0)...(prefix.isHighest ? high[place] : 9) {
            let next = Prefix(
              isLowest: prefix.isLowest && digit == low[place],
              isHighest: prefix.isHighest && digit == high[place],
              remainder: divisor == 1 ? 0 : (prefix.remainder * 10 + digit) % divisor)
            let target = following[next] ?? add()
            following[next] = target
            let byte = UInt8(ascii: "0") + UInt8(digit)
            edges[state].append(.init(bytes: byte...byte, target: target))
          }
        }
        states = following
        guard place >= digits - 1 else { continue }
        for (prefix, state) in states where prefix.remainder == 0 {
          // Digits that are left out are zeros.
          let isEnough = !prefix.isLowest || low[(place + 1)...].allSatisfy { $0 == 0 }
          if isEnough { ends.insert(state) }
        }
      }
    }
  }

  static func power(_ exponent: Int) -> Int { (0..<exponent).reduce(1) { power, _ in power * 10 } }

  private static func digits(_ number: Int, count: Int) -> [Int] {
    let digits = String(number).utf8.map { Int($0) - 48 }
    return [Int](repeating: 0, count: max(0, count - digits.count)) + digits
  }
}

/// A decimal number as JSON writes it, exactly.
struct DecimalNumber {
  let isNegative: Bool
  /// The number is these digits times ten to the power of `-scale`; without zeros at the end, unless it is
  /// a whole number.
  let digits: [UInt8]
  let scale: Int

  /// nil where the number has more than a thousand digits when it is written out.
  init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    var digits: [UInt8] = []
    var scale = 0
    var isFraction = false
    while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
      rest.removeFirst()
      if byte == UInt8(ascii: ".") {
        isFraction = true
      } else {
        digits.append(byte - 48)
        if isFraction { scale += 1 }
      }
    }
    if !rest.isEmpty {
      guard let exponent = Int(String(decoding: rest.dropFirst(), as: UTF8.self)),
        abs(exponent) <= 1000
      else { return nil }
      scale -= exponent
    }
    while scale > 0, digits.last == 0 {
      digits.removeLast()
      scale -= 1
    }
    while scale < 0 {
      digits.append(0)
      scale += 1
    }
    self.digits = Array(digits.drop { $0 == 0 })
    self.scale = scale
    guard self.digits.count <= 1000, scale <= 1000 else { return nil }
  }

  /// Digits before the point.
  var wholeDigits: Int { max(0, digits.count - scale) }

  /// The number times ten to the power of `places`, rounded towards the smaller (`.down`) or the larger
  /// (`.up`) number, and whether it is exact; nil where it does not fit.
  func scaled(_ places: Int, _ rounding: FloatingPointRoundingRule) -> (value: Int, isExact: Bool)?
  {
    var kept = digits
    var isExact = true
    if places >= scale {
      kept += [UInt8](repeating: 0, count: places - scale)
    } else {
      let cut = min(kept.count, scale - places)
      isExact = kept.suffix(cut).allSatisfy { $0 == 0 }
      kept.removeLast(cut)
    }
    guard kept.count <= NumberRange.mostDigits else { return nil }
    let magnitude = kept.reduce(0) { $0 * 10 + Int($1) }
    let truncated = isNegative ? -magnitude : magnitude
    if isExact { return (truncated, true) }
    switch rounding {
    case .up: return (isNegative ? truncated : truncated + 1, false)
    default: return (isNegative ? truncated - 1 : truncated, false)
    }
  }
}
