import Compute
import GGUF
import Llama
import Prompting
import Tokenization

/// Everything that can be said against a GGUF file: header, metadata, shapes, token tables, chat template,
/// and each block of weights.
public struct FileCheck: Sendable {
  /// Something that is wrong, or odd.
  public struct Finding: Sendable, CustomStringConvertible {
    /// Whether a model of this file would not run, or not be what it was meant to be; else it is only odd.
    public let isFault: Bool
    /// Field, offset, what was found and what is allowed; nil where the words say all.
    public let error: GGUFError?
    public let description: String
  }

  /// Faults first, then what is odd; each in the file's order.
  public let findings: [Finding]

  /// The findings that keep the file from being used.
  public var faults: [Finding] { findings.filter(\.isFault) }

  /// Looks at the whole file, which takes as long as reading it.
  ///
  /// - Throws: `GGUFError` where the header is damaged, so that nothing else can be said, or the file is
  ///   only a header.
  public init(_ file: GGUFFile) throws(GGUFError) {
    try file.requireData()
    var faults: [Finding] = []
    var oddities: [Finding] = []
    func collect(_ check: () throws -> Void) {
      do { try check() } catch {
        faults.append(
          Finding(isFault: true, error: error as? GGUFError, description: "\(error)"))
      }
    }
    func add(_ error: GGUFError?, isFault: Bool) {
      guard let error else { return }
      let finding = Finding(isFault: isFault, error: error, description: error.description)
      if isFault { faults.append(finding) } else { oddities.append(finding) }
    }

    let shape = Self.shape(of: file) { add($0, isFault: true) }
    var hasTokens = false
    collect {
      _ = try Tokenizer(file)
      hasTokens = true
    }
    if file.entry("tokenizer.chat_template") != nil { collect { _ = try ChatTemplate(file) } }
    if let shape {
      for error in LlamaModel.tensorFaults(file, shape) { add(error, isFault: true) }
      for name in LlamaModel.unusedTensors(file, shape) {
        add(
          Self.odd(file, "tensor \(name)", nil, "a tensor that no part of the model uses"),
          isFault: false)
      }
    }
    for tensor in file.tensors {
      add(BlockScales.fault(tensor, in: file), isFault: true)
      if tensor.byteCount > 0, file.withBytes(of: tensor, Self.isZero) {
        add(
          Self.odd(
            file, "tensor \(tensor.name)", file.byteRange(of: tensor).lowerBound, "only zeros"),
          isFault: false)
      }
    }
    for error in (hasTokens ? Tokenizer.oddities(file) : []) + Self.metadataOddities(file) {
      add(error, isFault: false)
    }
    findings = faults + oddities
  }

  private static func shape(of file: GGUFFile, _ report: (GGUFError) -> Void) -> Hyperparameters? {
    do throws(GGUFError) {
      return try Hyperparameters(file)
    } catch {
      report(error)
      return nil
    }
  }

  private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.allSatisfy { $0 == 0 }
  }

  private static func odd(_ file: GGUFFile, _ field: String, _ offset: Int?, _ words: String)
    -> GGUFError
  {
    GGUFError(
      file: file.name, field: field, offset: offset,
      reason: .invalid(found: words, allowed: "nothing of the kind"))
  }

  private static func metadataOddities(_ file: GGUFFile) -> [GGUFError] {
    var found: [GGUFError] = []
    for entry in file.entries {
      let isPlain = entry.key.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
      }
      if !isPlain {
        found.append(odd(file, entry.key, entry.offset, "a key that is not lower_snake_case"))
      }
      if case .string(let text) = entry.value, text.utf8.contains(0) {
        found.append(odd(file, entry.key, entry.offset, "a NUL byte"))
      }
    }
    for tensor in file.tensors
    where tensor.name.contains(where: { !$0.isASCII || $0 == "/" || $0 < " " }) {
      found.append(odd(file, "tensor \(tensor.name)", nil, "a name with odd characters"))
    }
    let isQuantized = file.tensors.contains { $0.type.blockValues > 1 }
    if isQuantized, file.entry("general.quantization_version") == nil {
      found.append(
        GGUFError(file: file.name, field: "general.quantization_version", reason: .missing))
    }
    if file.trailingBytes > 0 {
      found.append(
        odd(
          file, "end", file.byteCount - file.trailingBytes,
          "\(file.trailingBytes) bytes after the last tensor"))
    }
    return found
  }
}
