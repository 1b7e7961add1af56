import OrderedJSON

/// Expressions for the parts of JSON texts (RFC 8259), as Python's `json.dumps` spaces them: models have
/// read much of it, and one way to write a value leaves less to go wrong.
///
/// Strings have no `\u` escapes but for control characters, since half of a surrogate pair is no text.
enum JSONGrammar {
  typealias Expression = Grammar.Expression

  /// What a string has as it is.
  private static let plain = ScalarRanges([
    0x20...0x21, 0x23...0x5B, 0x5D...0xD7FF, 0xE000...0x10FFFF,
  ])

  /// The characters of a string.
  static let character = characters(
    ScalarRanges(plain.ranges + JSON.escapes.map { $0.character.value...$0.character.value }))

  /// One character of `set` as a string spells it.
  static func characters(_ set: ScalarRanges) -> Expression {
    var choices: [Expression] = []
    let direct = set.intersection(plain)
    if !direct.isEmpty { choices.append(.characters(direct)) }
    for (scalar, spelling) in JSON.escapes where set.contains(scalar) {
      choices.append(.text(spelling))
    }
    for value in UInt32(0)..<0x20 {
      guard let scalar = Unicode.Scalar(value), set.contains(scalar),
        !JSON.escapes.contains(where: { $0.character == scalar })
      else { continue }
      choices.append(.text(JSON.controlEscape(scalar)))
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  static func string(least: Int, most: Int?) -> Expression {
    .sequence([
      .text("\""), .repetition(character, least: least, most: most), .text("\""),
    ])
  }

  /// Whole numbers of up to 15 digits, which all readers keep.
  static let integer = Expression.sequence([.optional(.text("-")), digits])
  /// With up to 15 digits after the point.
  static let number = Expression.sequence([
    integer, .optional(.sequence([.text("."), .repetition(digit, least: 1, most: 15)])),
  ])
  private static let digit = Expression.characters(ScalarRanges([0x30...0x39]))
  private static let digits = Expression.choice([
    .text("0"),
    .sequence([
      .characters(ScalarRanges([0x31...0x39])), .repetition(digit, least: 0, most: 14),
    ]),
  ])
}
