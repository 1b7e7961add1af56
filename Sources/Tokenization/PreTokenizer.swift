/// How a text is cut into pieces before byte-pair encoding, named as in `tokenizer.ggml.pre`.
///
/// Each is a hand-written scanner for the regular expression it is defined by; no regex engine runs
/// on text.
public enum PreTokenizer: String, CaseIterable, Sendable {
  /// Every number character alone, then `gpt2` within what lies between.
  case smollm
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  case gpt2 = "gpt-2"
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|`
  /// `\s*[\r\n]+|\s+(?!\S)|\s+`
  case llama3 = "llama-bpe"
  /// As `llama3` with `\p{N}` alone.
  case qwen2

  /// - Parameter name: as in a GGUF file; `default` is GPT-2's.
  init?(name: String) {
    self.init(rawValue: name == "default" ? Self.gpt2.rawValue : name)
  }

  /// Whether a piece that is a token as it stands is taken whole, before any merge.
  var takesWholePieces: Bool { self == .llama3 }

  /// Calls `body` with the range of each piece of `scalars`, in order.
  func forEachPiece(_ scalars: [Unicode.Scalar], _ body: (Range<Int>) -> Void) {
    let kinds = scalars.map(CharacterKind.init)
    switch self {
    case .smollm:
      var start = 0
      for (index, kind) in kinds.enumerated() where kind == .number {
        Scanner(scalars, kinds, start..<index).gpt2(body)
        body(index..<index + 1)
        start = index + 1
      }
      Scanner(scalars, kinds, start..<scalars.count).gpt2(body)
    case .gpt2: Scanner(scalars, kinds, 0..<scalars.count).gpt2(body)
    case .llama3: Scanner(scalars, kinds, 0..<scalars.count).llama3(digits: 3, body)
    case .qwen2: Scanner(scalars, kinds, 0..<scalars.count).llama3(digits: 1, body)
    }
  }
}

/// The classes that the expressions tell apart.
enum CharacterKind: UInt8 {
  case letter, number, space, other

  init(_ scalar: Unicode.Scalar) {
    if scalar.isASCII {
      self = Self.ascii[Int(scalar.value)]
    } else {
      self = Self(unicode: scalar)
    }
  }

  /// Letters that are younger count as unassigned: the regex tables of the reference tokenizer end
  /// here, and ids must not depend on the Unicode version of whoever runs this. (Its numbers come
  /// from another table, of Unicode 17, as Swift's do.)
  private static let lettersOfUnicode = (major: 16, minor: 0)

  private init(unicode scalar: Unicode.Scalar) {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      let isYoung = scalar.properties.age.map { $0 > Self.lettersOfUnicode } ?? false
      self = isYoung ? .other : .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    default: self = scalar.properties.isWhitespace ? .space : .other
    }
  }

  private static let ascii = (0..<128).map { Self(unicode: Unicode.Scalar(UInt8($0))) }
}

/// Walks over one stretch of text.
private struct Scanner {
  let scalars: [Unicode.Scalar]
  let kinds: [CharacterKind]
  let range: Range<Int>

  init(_ scalars: [Unicode.Scalar], _ kinds: [CharacterKind], _ range: Range<Int>) {
    self.scalars = scalars
    self.kinds = kinds
    self.range = range
  }

  /// The end of the run of characters from `start` for which `belongs` holds.
  private func run(_ start: Int, while belongs: (Int) -> Bool) -> Int {
    var end = start
    while end < range.upperBound, belongs(end) { end += 1 }
    return end
  }

  private func run(_ kind: CharacterKind, from start: Int) -> Int {
    run(start) { kinds[$0] == kind }
  }

  /// The length of `'s`, `'re`, … at `start`, or 0.
  private func contraction(_ start: Int, anyCase: Bool) -> Int {
    guard scalars[start] == "'", start + 1 < range.upperBound else { return 0 }
    func letter(_ index: Int) -> Unicode.Scalar {
      let scalar = scalars[index]
      guard anyCase else { return scalar }
      if scalar == "\u{17F}" { return "s" }  // long s folds to s
      return scalar.isASCII && scalar.value >= 65 && scalar.value <= 90
        ? Unicode.Scalar(UInt8(scalar.value + 32)) : scalar
    }
    let first = letter(start + 1)
    if start + 2 < range.upperBound {
      switch (first, letter(start + 2)) {
      case ("r", "e"), ("v", "e"), ("l", "l"): return 3
      default: break
      }
    }
    switch first {
    case "s", "t", "m", "d": return 2
    default: return 0
    }
  }

  func gpt2(_ body: (Range<Int>) -> Void) {
    var position = range.lowerBound
    while position < range.upperBound {
      let start = position
      let length = contraction(start, anyCase: false)
      if length > 0 {
        position = start + length
      } else {
        let hasSpace = scalars[start] == " " && start + 1 < range.upperBound
        let content = hasSpace && kinds[start + 1] != .space ? start + 1 : start
        position =
          kinds[content] == .space ? whitespace(start) : run(kinds[content], from: content)
      }
      body(start..<position)
    }
  }

  /// `\s+(?!\S)|\s+`: a run of white space, less its last character where text follows.
  private func whitespace(_ start: Int) -> Int {
    let end = run(.space, from: start)
    return end < range.upperBound && end - start > 1 ? end - 1 : end
  }

  func llama3(digits: Int, _ body: (Range<Int>) -> Void) {
    func isNewline(_ index: Int) -> Bool { scalars[index] == "\r" || scalars[index] == "\n" }
    var position = range.lowerBound
    while position < range.upperBound {
      let start = position
      let length = contraction(start, anyCase: true)
      let next = start + 1
      if length > 0 {
        position = start + length
      } else if kinds[start] == .letter {
        position = run(.letter, from: start)
      } else if kinds[start] != .number, !isNewline(start), next < range.upperBound,
        kinds[next] == .letter
      {
        position = run(.letter, from: next)
      } else if kinds[start] == .number {
        position = min(run(.number, from: start), start + digits)
      } else if kinds[start] == .other
        || (scalars[start] == " " && next < range.upperBound && kinds[next] == .other)
      {
        let end = run(.other, from: kinds[start] == .other ? start : next)
        position = run(end, while: isNewline)
      } else {
        // White space: up to the last line break of the run, if it has one.
        let end = run(.space, from: start)
        if let newline = (start..<end).last(where: isNewline) {
          position = newline + 1
        } else {
          position = whitespace(start)
        }
      }
      body(start..<position)
    }
  }
}
