/// A string as Python sees it, a sequence of code points, each of which knows who wrote it: the template,
/// or what was given to it.
///
/// The mark goes wherever the code point goes, through slices, filters and joins; so that a prompt can be
/// cut into what a template wrote, which may become control tokens, and what people wrote, which may not.
/// Texts are compared without regard to it.
public struct Text: Sendable {
  /// Unicode scalar values, with `mark` added where the code point was given.
  var units: [UInt32]
  /// Whether it counts as HTML already, as after `safe`: plain text that is joined with it is escaped.
  var isMarkup = false

  static let mark: UInt32 = 1 << 31

  init(units: [UInt32]) { self.units = units }

  /// What a template wrote.
  public init(_ string: some StringProtocol) { units = string.unicodeScalars.map(\.value) }

  /// What was given to a template.
  public init(given string: some StringProtocol) {
    units = string.unicodeScalars.map { $0.value | Self.mark }
  }

  public var string: String {
    var view = String.UnicodeScalarView()
    for unit in units { view.append(Self.scalar(unit)) }
    return String(view)
  }

  public var count: Int { units.count }

  var isEmpty: Bool { units.isEmpty }

  /// A stretch of one author's.
  public struct Run: Equatable, Sendable {
    public let text: String
    /// Whether it was given to the template.
    public let isGiven: Bool
  }

  public var runs: [Run] {
    var runs: [Run] = []
    var rest = units[...]
    while let first = rest.first {
      let run = rest.prefix { ($0 ^ first) & Self.mark == 0 }
      runs.append(Run(text: Text(units: Array(run)).string, isGiven: first & Self.mark != 0))
      rest = rest.dropFirst(run.count)
    }
    return runs
  }

  static func scalar(_ unit: UInt32) -> Unicode.Scalar {
    Unicode.Scalar(unit & ~mark) ?? "\u{FFFD}"
  }

  static func + (a: Text, b: Text) -> Text { Text(units: a.units + b.units) }

  /// With all code points marked as given where any of `other` is: for results whose parts cannot be
  /// followed, such as numbers from texts.
  func marked(like other: Text) -> Text {
    other.units.contains { $0 & Self.mark != 0 } ? Text(units: units.map { $0 | Self.mark }) : self
  }

  /// With the characters that mean something in HTML replaced.
  var escaped: Text {
    if isMarkup { return self }
    var result = map { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "'": "&#39;"
      case "\"": "&#34;"
      default: String(scalar)
      }
    }
    result.isMarkup = true
    return result
  }

  /// As Python's `+` joins them: where one is markup, the other is escaped.
  static func joined(_ a: Text, _ b: Text) -> Text {
    guard a.isMarkup || b.isMarkup else { return a + b }
    var result = a.escaped + b.escaped
    result.isMarkup = true
    return result
  }

  /// Calls `convert` with each code point; what it returns has the same author.
  func map(_ convert: (Unicode.Scalar) -> String) -> Text {
    var result: [UInt32] = []
    result.reserveCapacity(units.count)
    for unit in units {
      for scalar in convert(Self.scalar(unit)).unicodeScalars {
        result.append(scalar.value | unit & Self.mark)
      }
    }
    return Text(units: result)
  }

  var lowercased: Text { map { $0.properties.lowercaseMapping } }
  var uppercased: Text { map { $0.properties.uppercaseMapping } }

  /// The first letter upper case, the others lower case.
  var capitalized: Text {
    Text(units: Array(units.prefix(1))).map { $0.properties.titlecaseMapping }
      + Text(units: Array(units.dropFirst())).lowercased
  }

  // MARK: Searching

  static func isSpace(_ unit: UInt32) -> Bool {
    let value = unit & ~mark
    return value < 0x80
      ? (9...13).contains(value) || (28...32).contains(value)
      : scalar(value).properties.isWhitespace
  }

  private static func same(_ a: UInt32, _ b: UInt32) -> Bool { (a ^ b) & ~mark == 0 }

  func hasPrefix(_ other: Text) -> Bool {
    units.count >= other.count && zip(units, other.units).allSatisfy(Self.same)
  }

  func hasSuffix(_ other: Text) -> Bool {
    units.count >= other.count
      && zip(units.suffix(other.count), other.units).allSatisfy(Self.same)
  }

  /// Where `other` first stands at `start` or after, in time that grows with the lengths' sum (Knuth,
  /// Morris & Pratt 1977).
  func firstIndex(of other: Text, from start: Int = 0) -> Int? {
    let part = other.units
    guard start >= 0, start + part.count <= count else { return nil }
    guard let first = part.first else { return start }
    if part.count == 1 { return units[start...].firstIndex { Self.same($0, first) } }
    // How much of `part` still stands where its next unit does not.
    var borders = [0]
    borders.reserveCapacity(part.count)
    var matched = 0
    for index in 1..<part.count {
      while matched > 0, !Self.same(part[index], part[matched]) { matched = borders[matched - 1] }
      if Self.same(part[index], part[matched]) { matched += 1 }
      borders.append(matched)
    }
    matched = 0
    for index in start..<count {
      while matched > 0, !Self.same(units[index], part[matched]) { matched = borders[matched - 1] }
      if Self.same(units[index], part[matched]) { matched += 1 }
      if matched == part.count { return index + 1 - part.count }
    }
    return nil
  }

  func lastIndex(of other: Text) -> Int? {
    reversed.firstIndex(of: other.reversed).map { count - other.count - $0 }
  }

  var reversed: Text { Text(units: units.reversed()) }

  func contains(_ other: Text) -> Bool { firstIndex(of: other) != nil }

  // MARK: Cutting

  subscript(_ range: Range<Int>) -> Text { Text(units: Array(units[range])) }

  /// - Parameter characters: what is taken off; nil is white space.
  func trimmed(_ characters: Text?, start: Bool = true, end: Bool = true) -> Text {
    func isTrimmed(_ unit: UInt32) -> Bool {
      guard let characters else { return Self.isSpace(unit) }
      return characters.units.contains { Self.same($0, unit) }
    }
    var rest = units[...]
    if start { rest = rest.drop(while: isTrimmed) }
    if end { while let last = rest.last, isTrimmed(last) { rest.removeLast() } }
    return Text(units: Array(rest))
  }

  /// Cuts at white space, as Python's `split` without a separator.
  func words(limit: Int = .max) -> [Text] {
    var words: [Text] = []
    var rest = units[...].drop(while: Self.isSpace)
    while !rest.isEmpty {
      if words.count == limit {
        words.append(Text(units: Array(rest)))
        break
      }
      let word = rest.prefix { !Self.isSpace($0) }
      words.append(Text(units: Array(word)))
      rest = rest.dropFirst(word.count).drop(while: Self.isSpace)
    }
    return words
  }

  /// Cuts at `separator`, which is not empty.
  func split(_ separator: Text, limit: Int = .max) -> [Text] {
    var parts: [Text] = []
    var start = 0
    while parts.count < limit, let end = firstIndex(of: separator, from: start) {
      parts.append(self[start..<end])
      start = end + separator.count
    }
    return parts + [self[start..<count]]
  }

  /// As `split`, from the end.
  func splitFromEnd(_ separator: Text, limit: Int) -> [Text] {
    reversed.split(separator.reversed, limit: limit).map(\.reversed).reversed()
  }

  /// Lines without their ends, as Python's `splitlines`.
  func lines(keepingEnds: Bool = false) -> [Text] {
    var lines: [Text] = []
    var (start, position) = (0, 0)
    while position < count {
      let value = units[position] & ~Self.mark
      let isEnd =
        (10...13).contains(value) || (0x1C...0x1E).contains(value)
        || [0x85, 0x2028, 0x2029].contains(value)
      guard isEnd else {
        position += 1
        continue
      }
      var end = position + 1
      if value == 13, end < count, units[end] & ~Self.mark == 10 { end += 1 }
      lines.append(self[start..<(keepingEnds ? end : position)])
      (start, position) = (end, end)
    }
    if start < count { lines.append(self[start..<count]) }
    return lines
  }

  func replacing(_ old: Text, with new: Text, limit: Int = .max) -> Text {
    if old.isEmpty {
      var result: [UInt32] = []
      for (index, unit) in units.enumerated() {
        if index < limit { result += new.units }
        result.append(unit)
      }
      if count < limit { result += new.units }
      return Text(units: result)
    }
    return split(old, limit: limit).joined(separator: new)
  }
}

extension [Text] {
  func joined(separator: Text = Text("")) -> Text {
    var result: [UInt32] = []
    for (index, text) in enumerated() {
      if index > 0 { result += separator.units }
      result += text.units
    }
    return Text(units: result)
  }
}

extension Text: Hashable {
  public static func == (a: Text, b: Text) -> Bool {
    a.units.count == b.units.count && zip(a.units, b.units).allSatisfy(same)
  }

  public func hash(into hasher: inout Hasher) {
    for unit in units { hasher.combine(unit & ~Self.mark) }
  }
}

extension Text: Comparable {
  public static func < (a: Text, b: Text) -> Bool {
    a.units.lexicographicallyPrecedes(b.units) { $0 & ~mark < $1 & ~mark }
  }
}
