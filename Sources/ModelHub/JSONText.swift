import OrderedJSON

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A JSON document that says at which line each of its values is.
struct JSONText {
  enum Value: Decodable, Equatable {
    case object([String: Value])
    case array([Value])
    case string(String)
    case number(Double)
    case bool(Bool)
    case null

    init(from decoder: any Decoder) throws {
      let single = try decoder.singleValueContainer()
      if single.decodeNil() {
        self = .null
      } else if let value = try? single.decode(Bool.self) {
        self = .bool(value)
      } else if let value = try? single.decode(Double.self) {
        self = .number(value)
      } else if let value = try? single.decode(String.self) {
        self = .string(value)
      } else if let value = try? single.decode([Value].self) {
        self = .array(value)
      } else {
        self = .object(try single.decode([String: Value].self))
      }
    }
  }

  struct SyntaxError: Error {
    /// From 1.
    let line: Int
    let reason: String
  }

  let value: Value
  private let bytes: [UInt8]

  /// - Throws: `SyntaxError`.
  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    do throws(JSON.Fault) {
      _ = try JSON(parsing: bytes)
    } catch {
      throw SyntaxError(
        line: Self.line(of: error.position, in: bytes),
        reason: "this is not JSON: expected \(error.expected)")
    }
    do {
      value = try JSONDecoder().decode(Value.self, from: Data(bytes))
    } catch {
      throw SyntaxError(line: 1, reason: "this is not JSON in UTF-8")
    }
  }

  private static func line(of position: Int, in bytes: [UInt8]) -> Int {
    1 + bytes.prefix(position).count { $0 == 0x0A }
  }

  /// The line, from 1, of the value at `path`: keys of objects and indexes of arrays.
  func line(of path: [String]) -> Int {
    var scanner = Scanner(bytes: bytes)
    for part in path { scanner.enter(part) }
    return Self.line(of: scanner.position, in: bytes)
  }

  /// Walks over a document that is known to be well formed.
  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
      while [0x20, 0x09, 0x0A, 0x0D].contains(current) { position += 1 }
    }

    /// Goes from the start of an object or array to the value of one of its parts.
    mutating func enter(_ part: String) {
      skipSpace()
      let isObject = current == UInt8(ascii: "{")
      position += 1
      var index = 0
      while position < bytes.count {
        skipSpace()
        if current == UInt8(ascii: ",") {
          position += 1
          skipSpace()
        }
        guard current != UInt8(ascii: "}"), current != UInt8(ascii: "]") else { return }
        let start = position
        if isObject {
          skipValue()
          let key = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<position]))
          if key == part {
            position = start
            afterKey()
            return
          }
          afterColon()
        } else if String(index) == part {
          return
        }
        skipValue()
        index += 1
      }
    }

    /// From a key to the value behind it.
    private mutating func afterKey() {
      skipValue()
      afterColon()
    }

    private mutating func afterColon() {
      skipSpace()
      position += 1
      skipSpace()
    }

    private mutating func skipValue() {
      var depth = 0
      repeat {
        skipSpace()
        switch current {
        case UInt8(ascii: "\""):
          position += 1
          while position < bytes.count, current != UInt8(ascii: "\"") {
            position += current == UInt8(ascii: "\\") ? 2 : 1
          }
          position += 1
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          position += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          position += 1
        default:
          position += 1
          while position < bytes.count, !",]}:\"{[ \t\r\n".utf8.contains(current) { position += 1 }
        }
      } while depth > 0 && position < bytes.count
    }
  }
}
