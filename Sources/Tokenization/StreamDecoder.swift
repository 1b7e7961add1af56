/// Turns tokens into text as they come, without ever splitting a UTF-8 character.
public struct StreamDecoder: Sendable {
  private let tokenizer: Tokenizer
  /// Bytes that may yet become a character: at most 3.
  private var pending: [UInt8] = []

  /// A decoder at the beginning of a text.
  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The text that `id` completes, which may be empty.
  public mutating func append(_ id: Int) -> String {
    pending += tokenizer.bytes(of: id)
    let complete = pending.count - Self.unfinishedBytes(pending)
    let text = String(decoding: pending[..<complete], as: UTF8.self)
    pending.removeFirst(complete)
    return text
  }

  /// What is left at the end; U+FFFD where it is no character.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end are the start of a character that needs more.
  static func unfinishedBytes(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > back ? back : 0
    }
    return 0
  }
}
