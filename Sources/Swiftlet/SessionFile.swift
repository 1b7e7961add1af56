#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A session on disk: what was said, and the keys and values computed from it.
///
/// Layout, little-endian: `SWIFTLET`, a version (UInt32), the header's length (UInt32), the header (JSON),
/// the cache's spans as they lie in memory, and the SHA-256 of all before it, in hexadecimal.
struct SessionFile {
  /// What goes before the cache's bytes.
  struct Header: Codable {
    /// SHA-256 of the model's file: keys and values of other weights would be nonsense.
    let model: String
    let precision: String
    let tokens: [Int]
    let transcript: Transcript
  }

  private static let magic = Array("SWIFTLET".utf8)
  private static let version: UInt32 = 3
  /// Keys and values lay otherwise: what was said is good, and is computed again.
  private static let olderVersions: ClosedRange<UInt32> = 1...2
  private static let prefixBytes = 16
  private static let digestBytes = 64
  private static let mostHeaderBytes = 1 << 28

  /// Writes a file that appears once it is whole.
  ///
  /// - Throws: `GGUFError.Reason.unwritable`.
  static func write(_ header: Header, _ sequence: CachedSequence?, to path: String) throws {
    let encoder = JSONEncoder()
    // Equal sessions give equal files.
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(header)
    var bytes = magic + littleEndian(version)
    bytes += littleEndian(UInt32(json.count)) + json
    sequence?.cache.withContents { bytes += $0 }
    bytes += Array(bytes.withUnsafeBytes { sha256(of: $0) }.utf8)
    let output = try OutputFile(path: path)
    try output.write(bytes)
    try output.publish()
  }

  /// Reads a file and gives what it holds to `body`: the header and the cache's bytes, nil where they are of an older
  /// version.
  ///
  /// - Throws: `SessionFileError`; `GGUFError` where the file cannot be read; what `body` throws.
  static func read<R>(
    _ path: String, _ body: (Header, UnsafeRawBufferPointer?) throws -> R
  ) throws -> R {
    let file = try MappedBytes(path: path)
    let bytes = file.bytes
    guard bytes.count >= prefixBytes + digestBytes, bytes.starts(with: magic) else {
      throw SessionFileError.damaged(path, "no saved session")
    }
    func word(_ offset: Int) -> UInt32 {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    guard word(8) == version || olderVersions.contains(word(8)) else {
      throw SessionFileError.damaged(path, "version \(word(8)) at offset 8, allowed \(version)")
    }
    let headerBytes = Int(word(12))
    let end = bytes.count - digestBytes
    guard headerBytes <= mostHeaderBytes, headerBytes <= end - prefixBytes else {
      throw SessionFileError.damaged(
        path, "a header of \(headerBytes) bytes at offset 12, \(end - prefixBytes) are left")
    }
    let digest = String(decoding: bytes[end...], as: UTF8.self)
    guard digest == sha256(of: UnsafeRawBufferPointer(rebasing: bytes[..<end])) else {
      throw SessionFileError.damaged(path, "its checksum, at offset \(end), is another's")
    }
    let start = prefixBytes + headerBytes
    guard
      let header = try? JSONDecoder().decode(Header.self, from: Data(bytes[prefixBytes..<start]))
    else {
      throw SessionFileError.damaged(path, "its header, at offset \(prefixBytes), is no JSON")
    }
    let contents = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    return try body(header, word(8) == version ? contents : nil)
  }
}

/// Why a saved session is not gone on with.
public enum SessionFileError: Error, Equatable, Sendable {
  /// The file is not as it was written.
  case damaged(_ path: String, _ reason: String)
  /// It was saved with another model, or another precision of keys and values.
  case otherModel(_ path: String, _ reason: String)
  /// It has more tokens than the model was loaded for.
  case exceededContext(_ path: String, tokens: Int, contextSize: Int)
}

extension SessionFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .damaged(let path, let reason): "\(path): \(reason)"
    case .otherModel(let path, let reason): "\(path): was saved with \(reason)"
    case .exceededContext(let path, let tokens, let size):
      "\(path): has \(tokens) tokens and the context holds \(size)"
    }
  }
}
