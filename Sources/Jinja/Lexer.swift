/// A piece of a template.
struct Token: Equatable {
  enum Kind: Equatable {
    /// Text between tags.
    case data
    case blockStart, blockEnd, variableStart, variableEnd
    case name, string, integer, float, symbol
    case end
  }

  let kind: Kind
  let text: String
  let line: Int
}

/// Cuts a template into tokens, by the rules of jinja2's lexer with `trim_blocks` and `lstrip_blocks`,
/// which is how chat templates are rendered.
struct Lexer {
  private let source: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  private var tokens: [Token] = []
  /// Whether the text so far ends with the end of a line, so that a tag starts its line.
  private var startsLine = true

  static func tokens(of source: String) throws(TemplateError) -> [Token] {
    var lexer = Lexer(source)
    try lexer.run()
    return lexer.tokens
  }

  private init(_ source: String) {
    var scalars: [Unicode.Scalar] = []
    // All line ends become "\n", and one at the end of the template goes.
    for scalar in source.unicodeScalars {
      if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
      scalars.append(scalar)
    }
    for index in scalars.indices where scalars[index] == "\r" { scalars[index] = "\n" }
    if scalars.last == "\n" { scalars.removeLast() }
    self.source = scalars
  }

  private func starts(_ text: String, at place: Int? = nil) -> Bool {
    source[(place ?? position)...].starts(with: text.unicodeScalars)
  }

  private mutating func add(_ kind: Token.Kind, _ text: some Sequence<Unicode.Scalar>) {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text)
    tokens.append(Token(kind: kind, text: String(view), line: line))
  }

  private mutating func advance(to end: Int) {
    for scalar in source[position..<end] where scalar == "\n" { line += 1 }
    position = end
  }

  private mutating func run() throws(TemplateError) {
    while position < source.count {
      let start = position
      var end = position
      while end < source.count, !starts("{%", at: end), !starts("{{", at: end),
        !starts("{#", at: end)
      { end += 1 }
      guard end < source.count else {
        add(.data, source[start...])
        advance(to: end)
        break
      }
      try tag(after: start..<end)
    }
    add(.end, [])
  }

  /// A tag, and the text before it, of which the tag may take off white space.
  private mutating func tag(after text: Range<Int>) throws(TemplateError) {
    let opening = source[text.upperBound + 1]
    let sign = text.upperBound + 2 < source.count ? source[text.upperBound + 2] : " "
    let data = source(text, before: sign, isBlock: opening != "{")
    if !data.isEmpty { add(.data, data) }
    advance(to: text.upperBound + 2)
    if sign == "-" || sign == "+" { position += 1 }
    switch opening {
    case "#": try comment()
    case "{":
      add(.variableStart, [])
      try expression("}}")
    default: try block()
    }
  }

  /// Text before a tag, of which the tag takes off white space: all of it where it begins with `-`, the
  /// indent of its line where it is a block and does not begin with `+`.
  private func source(_ range: Range<Int>, before sign: Unicode.Scalar, isBlock: Bool)
    -> ArraySlice<Unicode.Scalar>
  {
    var data = source[range]
    if sign == "-" {
      while let last = data.last, Text.isSpace(last.value) { data.removeLast() }
    } else if sign != "+", isBlock {
      let lineStart = data.lastIndex(of: "\n").map { $0 + 1 } ?? data.startIndex
      if lineStart > data.startIndex || startsLine,
        data[lineStart...].allSatisfy({ Text.isSpace($0.value) })
      {
        data = data[..<lineStart]
      }
    }
    return data
  }

  private mutating func comment() throws(TemplateError) {
    var end = position
    while end < source.count, !starts("#}", at: end) { end += 1 }
    guard end < source.count else { throw fault("a comment without an end") }
    let sign = end > position ? source[end - 1] : " "
    advance(to: end + 2)
    leaveTag(sign, isBlock: true)
  }

  private mutating func block() throws(TemplateError) {
    if let body = rawBlock() { return try raw(body) }
    add(.blockStart, [])
    try expression("%}")
  }

  /// Where the body of a raw block begins, if this is one, and how its tag ends.
  private func rawBlock() -> (start: Int, sign: Unicode.Scalar)? {
    var place = position
    func skipSpace() {
      while place < source.count, Text.isSpace(source[place].value) { place += 1 }
    }
    skipSpace()
    guard starts("raw", at: place) else { return nil }
    place += 3
    skipSpace()
    let sign: Unicode.Scalar = place < source.count ? source[place] : " "
    if sign == "-" { place += 1 }
    return starts("%}", at: place) ? (place + 2, sign) : nil
  }

  /// The text up to `{% endraw %}`.
  private mutating func raw(_ body: (start: Int, sign: Unicode.Scalar)) throws(TemplateError) {
    advance(to: body.start)
    leaveTag(body.sign, isBlock: false)
    let start = position
    var end = position
    while end < source.count {
      if starts("{%", at: end), let (close, opening, closing) = endOfRaw(end) {
        let data = source(start..<end, before: opening, isBlock: true)
        if !data.isEmpty { add(.data, data) }
        advance(to: close)
        leaveTag(closing, isBlock: true)
        return
      }
      end += 1
    }
    throw fault("'raw' without 'endraw'")
  }

  private func endOfRaw(_ start: Int) -> (
    end: Int, opening: Unicode.Scalar, closing: Unicode.Scalar
  )? {
    var place = start + 2
    func skipSpace() {
      while place < source.count, Text.isSpace(source[place].value) { place += 1 }
    }
    func sign() -> Unicode.Scalar {
      guard place < source.count, source[place] == "-" || source[place] == "+" else { return " " }
      place += 1
      return source[place - 1]
    }
    let opening = sign()
    skipSpace()
    guard starts("endraw", at: place) else { return nil }
    place += 6
    skipSpace()
    let closing = sign()
    return starts("%}", at: place) ? (place + 2, opening, closing) : nil
  }

  /// What the end of a tag takes off: all white space after `-`, the end of the line after a block.
  private mutating func leaveTag(_ sign: Unicode.Scalar, isBlock: Bool) {
    startsLine = false
    if sign == "-" {
      var end = position
      while end < source.count, Text.isSpace(source[end].value) { end += 1 }
      startsLine = end > position && source[end - 1] == "\n"
      advance(to: end)
    } else if isBlock, sign != "+", position < source.count, source[position] == "\n" {
      advance(to: position + 1)
      startsLine = true
    }
  }

  private func fault(_ message: String) -> TemplateError {
    TemplateError(.syntax, message, line: line)
  }

  // MARK: Inside tags

  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
  ]

  private mutating func expression(_ closing: String) throws(TemplateError) {
    var open: [Unicode.Scalar] = []
    while position < source.count {
      let scalar = source[position]
      if Text.isSpace(scalar.value) {
        advance(to: position + 1)
        continue
      }
      if open.isEmpty {
        let hasSign = scalar == "-" || scalar == "+" && closing == "%}"
        if starts(closing, at: position + (hasSign ? 1 : 0)) {
          add(closing == "%}" ? .blockEnd : .variableEnd, [])
          position += hasSign ? 3 : 2
          leaveTag(hasSign ? scalar : " ", isBlock: closing == "%}")
          return
        }
      }
      if scalar == "'" || scalar == "\"" {
        try string(scalar)
      } else if ("0"..."9").contains(scalar) {
        try number()
      } else if scalar == "_" || scalar.properties.isXIDStart {
        name()
      } else if let symbol = Self.symbols.first(where: { starts($0) }) {
        try balance(scalar, &open)
        add(.symbol, symbol.unicodeScalars)
        position += symbol.unicodeScalars.count
      } else {
        throw fault("unexpected character '\(scalar)'")
      }
    }
    throw fault("a tag without an end: expected '\(closing)'")
  }

  private func balance(_ scalar: Unicode.Scalar, _ open: inout [Unicode.Scalar])
    throws(TemplateError)
  {
    let closing: [Unicode.Scalar: Unicode.Scalar] = ["(": ")", "[": "]", "{": "}"]
    if let end = closing[scalar] {
      open.append(end)
      guard open.count <= Parser.deepest else { throw Parser.tooDeep(line) }
    } else if scalar == ")" || scalar == "]" || scalar == "}" {
      guard open.popLast() == scalar else { throw fault("unexpected '\(scalar)'") }
    }
  }

  private mutating func name() {
    var end = position
    while end < source.count, source[end] == "_" || source[end].properties.isXIDContinue {
      end += 1
    }
    add(.name, source[position..<end])
    position = end
  }

  /// Digits with `_` between them, in base 10, 16, 8 or 2; a point and digits, and an exponent, make a
  /// float.
  private mutating func number() throws(TemplateError) {
    var end = position
    func digits(_ isDigit: (Unicode.Scalar) -> Bool) {
      while end < source.count,
        isDigit(source[end])
          || source[end] == "_" && end + 1 < source.count && isDigit(source[end + 1])
      { end += 1 }
    }
    func isDecimal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    let prefix = end + 1 < source.count ? source[end + 1].properties.lowercaseMapping : ""
    if source[end] == "0", ["x", "o", "b"].contains(prefix) {
      end += 2
      digits { $0.properties.isASCIIHexDigit }
      return add(.integer, until: end)
    }
    digits(isDecimal)
    var isFloat = false
    if end + 1 < source.count, source[end] == ".", isDecimal(source[end + 1]) {
      isFloat = true
      end += 1
      digits(isDecimal)
    }
    if end < source.count, source[end] == "e" || source[end] == "E" {
      var exponent = end + 1
      if exponent < source.count, source[exponent] == "+" || source[exponent] == "-" {
        exponent += 1
      }
      if exponent < source.count, isDecimal(source[exponent]) {
        isFloat = true
        end = exponent
        digits(isDecimal)
      }
    }
    add(isFloat ? .float : .integer, until: end)
  }

  private mutating func add(_ kind: Token.Kind, until end: Int) {
    add(kind, source[position..<end].filter { $0 != "_" })
    position = end
  }

  /// A quoted string, with Python's escapes.
  private mutating func string(_ quote: Unicode.Scalar) throws(TemplateError) {
    var text: [Unicode.Scalar] = []
    var place = position + 1
    while place < source.count, source[place] != quote {
      guard source[place] == "\\", place + 1 < source.count else {
        text.append(source[place])
        place += 1
        continue
      }
      let (scalars, length) = try escape(place + 1)
      text += scalars
      place += 1 + length
    }
    guard place < source.count else { throw fault("a string without an end") }
    add(.string, text)
    advance(to: place + 1)
  }

  /// What stands for the escape at `start`, behind its backslash, and how long it is.
  private func escape(_ start: Int) throws(TemplateError) -> ([Unicode.Scalar], Int) {
    let simple: [Unicode.Scalar: Unicode.Scalar] = [
      "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}",
      "b": "\u{8}", "f": "\u{C}", "v": "\u{B}",
    ]
    let letter = source[start]
    if let scalar = simple[letter] { return ([scalar], 1) }
    if letter == "\n" { return ([], 1) }
    let lengths: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
    if let length = lengths[letter] {
      let digits = source[(start + 1)...].prefix(length).prefix { $0.properties.isASCIIHexDigit }
      let value = digits.reduce(UInt64(0)) { $0 << 4 | UInt64(Character($1).hexDigitValue ?? 0) }
      guard digits.count == length, let scalar = Unicode.Scalar(UInt32(clamping: value)) else {
        throw fault("an escape that is no character")
      }
      return ([scalar], 1 + length)
    }
    let octal = source[start...].prefix(3).prefix { ("0"..."7").contains($0) }
    if !octal.isEmpty {
      let value = octal.reduce(UInt32(0)) { $0 << 3 | ($1.value - 0x30) }
      return ([Unicode.Scalar(value) ?? "\u{FFFD}"], octal.count)
    }
    return (["\\", letter], 1)
  }
}
