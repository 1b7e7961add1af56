/// Reads a regular expression (ECMA-262) as the texts of JSON strings that it matches.
///
/// Classes like `\d` stand for their ASCII characters alone, and negated ones leave out what any engine
/// may count to them, so that all engines agree on what is written.
struct PatternParser {
  typealias Expression = Grammar.Expression

  private static let deepest = 100
  private static let mostRepetitions = 2000

  private let text: [Unicode.Scalar]
  private var position = 0

  /// What is not supported or wrong.
  struct Fault: Error {
    let reason: String
  }

  /// - Returns: what may stand between the quotes.
  /// - Throws: `Fault`.
  static func parse(_ pattern: String) throws(Fault) -> Expression {
    var parser = PatternParser(pattern)
    return try parser.pattern()
  }

  private init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

  private static let anything = Expression.repetition(JSONGrammar.character, least: 0, most: nil)

  private mutating func pattern() throws(Fault) -> Expression {
    var choices: [Expression] = []
    repeat {
      // Anchors count at the ends of a pattern's alternatives; elsewhere `atom` refuses them.
      let isAtStart = take("^")
      let body = try sequence(depth: 0)
      let isAtEnd = take("$")
      var parts: [Expression] = []
      if !isAtStart { parts.append(Self.anything) }
      parts.append(body)
      if !isAtEnd { parts.append(Self.anything) }
      choices.append(.sequence(parts))
    } while take("|")
    guard position == text.count else { throw fault("\"\(text[position])\" is not supported here") }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private func fault(_ reason: String) -> Fault {
    Fault(reason: "pattern, character \(position + 1): \(reason)")
  }

  private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func take(_ word: String) -> Bool {
    guard text[position...].starts(with: word.unicodeScalars) else { return false }
    position += word.unicodeScalars.count
    return true
  }

  private mutating func choice(depth: Int) throws(Fault) -> Expression {
    guard depth < Self.deepest else {
      throw fault("more than \(Self.deepest) groups in each other")
    }
    var choices = [try sequence(depth: depth)]
    while take("|") { choices.append(try sequence(depth: depth)) }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence(depth: Int) throws(Fault) -> Expression {
    var parts: [Expression] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      if scalar == "$", depth == 0 { break }
      let atom = try atom(depth: depth)
      parts.append(try repeated(atom))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repeated(_ part: Expression) throws(Fault) -> Expression {
    var (least, most): (Int, Int?)
    if take("*") {
      (least, most) = (0, nil)
    } else if take("+") {
      (least, most) = (1, nil)
    } else if take("?") {
      (least, most) = (0, 1)
    } else if current == "{", position + 1 < text.count, isDigit(text[position + 1]) {
      position += 1
      least = try number()
      most = least
      if take(",") { most = current == "}" ? nil : try number() }
      guard take("}") else { throw fault("expected \"}\"") }
      if let most, most < least { throw fault("{\(least),\(most)}") }
    } else {
      return part
    }
    // Whether as much or as little as can be: the same texts.
    _ = take("?")
    if let next = current, "*+".unicodeScalars.contains(next) {
      throw fault("\"\(next)\" is not supported here")
    }
    return .repetition(part, least: least, most: most)
  }

  private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private mutating func number() throws(Fault) -> Int {
    let digits = text[position...].prefix(while: isDigit)
    guard let value = Int(String(String.UnicodeScalarView(digits))),
      value <= Self.mostRepetitions
    else { throw fault("expected a number up to \(Self.mostRepetitions)") }
    position += digits.count
    return value
  }

  private mutating func atom(depth: Int) throws(Fault) -> Expression {
    guard let scalar = current else { throw fault("unexpected end") }
    switch scalar {
    case "(":
      position += 1
      if take("?") {
        if take("<"), let next = current, next != "=", next != "!" {
          while let next = current, next != ">" { _ = next; position += 1 }
          guard take(">") else { throw fault("expected \">\"") }
        } else if !take(":") {
          throw fault("looking ahead or behind is not supported")
        }
      }
      let inner = try choice(depth: depth + 1)
      guard take(")") else { throw fault("expected \")\"") }
      return inner
    case "[": return JSONGrammar.characters(try characterClass())
    case ".":
      position += 1
      let newlines = ScalarRanges([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029])
      return JSONGrammar.characters(newlines.complement)
    case "\\":
      position += 1
      return JSONGrammar.characters(try escape().surely)
    case "^", "$": throw fault("\"\(scalar)\" is supported at the ends alone")
    case "*", "+", "?": throw fault("nothing to repeat")
    default:
      position += 1
      return JSONGrammar.characters(ScalarRanges(scalar))
    }
  }

  /// Characters that a class surely has, and all that it may have.
  private struct Bounds {
    let surely: ScalarRanges
    let perhaps: ScalarRanges

    init(_ ascii: ScalarRanges) {
      surely = ascii
      perhaps = ascii.union(ScalarRanges([0x80...0x10FFFF]))
    }

    init(exactly set: ScalarRanges) {
      surely = set
      perhaps = set
    }

    var negated: Bounds {
      Bounds(surely.complement.intersection(ScalarRanges([0...0x7F])))
    }
  }

  private static let digits = Bounds(ScalarRanges([0x30...0x39]))
  private static let words = Bounds(
    ScalarRanges([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]))
  private static let spaces = Bounds(ScalarRanges([0x09...0x0D, 0x20...0x20]))

  /// What follows a backslash.
  private mutating func escape() throws(Fault) -> Bounds {
    guard let letter = current else { throw fault("nothing after \"\\\"") }
    position += 1
    switch letter {
    case "d": return Self.digits
    case "D": return Self.digits.negated
    case "w": return Self.words
    case "W": return Self.words.negated
    case "s": return Self.spaces
    case "S": return Self.spaces.negated
    case "n": return Bounds(exactly: ScalarRanges("\n"))
    case "t": return Bounds(exactly: ScalarRanges("\t"))
    case "r": return Bounds(exactly: ScalarRanges("\r"))
    case "f": return Bounds(exactly: ScalarRanges("\u{C}"))
    case "v": return Bounds(exactly: ScalarRanges("\u{B}"))
    case "0": return Bounds(exactly: ScalarRanges("\0"))
    case "x": return Bounds(exactly: ScalarRanges(try hexadecimal(2)))
    case "u":
      guard take("{") else { return Bounds(exactly: ScalarRanges(try hexadecimal(4))) }
      let count = text[position...].prefix { $0 != "}" }.count
      let scalar = try hexadecimal(count)
      guard take("}") else { throw fault("expected \"}\"") }
      return Bounds(exactly: ScalarRanges(scalar))
    default:
      guard !letter.properties.isAlphabetic, !isDigit(letter) else {
        throw fault("\"\\\(letter)\" is not supported")
      }
      return Bounds(exactly: ScalarRanges(letter))
    }
  }

  private mutating func hexadecimal(_ count: Int) throws(Fault) -> Unicode.Scalar {
    let digits = String(String.UnicodeScalarView(text[position...].prefix(count)))
    guard digits.unicodeScalars.count == count, (1...8).contains(count),
      digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw fault("expected the hexadecimal digits of a character") }
    position += count
    return scalar
  }

  private mutating func characterClass() throws(Fault) -> ScalarRanges {
    position += 1
    let isNegated = take("^")
    var surely = ScalarRanges([])
    var perhaps = ScalarRanges([])
    while let scalar = current, scalar != "]" {
      let low = try classMember()
      guard current == "-", position + 1 < text.count, text[position + 1] != "]",
        let first = low.surely.ranges.first, first.count == 1, low.surely.ranges.count == 1
      else {
        surely = surely.union(low.surely)
        perhaps = perhaps.union(low.perhaps)
        continue
      }
      position += 1
      let high = try classMember()
      guard let last = high.surely.ranges.first, last.count == 1, high.surely.ranges.count == 1,
        first.lowerBound <= last.lowerBound
      else { throw fault("a range that is none") }
      let range = ScalarRanges([first.lowerBound...last.lowerBound])
      surely = surely.union(range)
      perhaps = perhaps.union(range)
    }
    guard take("]") else { throw fault("expected \"]\"") }
    return isNegated ? perhaps.complement : surely
  }

  private mutating func classMember() throws(Fault) -> Bounds {
    guard let scalar = current else { throw fault("expected \"]\"") }
    position += 1
    guard scalar == "\\" else { return Bounds(exactly: ScalarRanges(scalar)) }
    if take("b") { return Bounds(exactly: ScalarRanges("\u{8}")) }
    if take("-") { return Bounds(exactly: ScalarRanges("-")) }
    return try escape()
  }
}
