import CIntrinsics
import KernelCore
import KernelsPortable

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

/// The instruction sets that kernels exist for, best last.
public enum InstructionSet: String, CaseIterable, Sendable {
  /// Any processor; x86-64 with AVX2, FMA and F16C; x86-64 with AVX-512 VNNI.
  case portable, avx2, avx512

  /// Whether this processor and its operating system can run it.
  public var isAvailable: Bool {
    switch self {
    case .portable: true
    #if arch(x86_64)
      case .avx2: swiftlet_cpu_has_avx2() != 0
      case .avx512: swiftlet_cpu_has_avx512_vnni() != 0
    #else
      case .avx2, .avx512: false
    #endif
    }
  }

  /// The best that this processor can run.
  public static var best: InstructionSet { allCases.last { $0.isAvailable } ?? .portable }

  /// What `name` (the value of `SWIFTLET_ISA`) asks for, or `best` where it is nil or empty.
  ///
  /// - Throws: `ComputeError.instructionSet` where the name is unknown or the processor lacks it.
  public static func named(_ name: String?) throws(ComputeError) -> InstructionSet {
    guard let name, !name.isEmpty else { return best }
    let available = allCases.filter(\.isAvailable)
    guard let wanted = InstructionSet(rawValue: name), wanted.isAvailable else {
      throw .instructionSet(wanted: name, available: available.map(\.rawValue))
    }
    return wanted
  }

  /// Whether vectors have an instruction for a * b + c, which `VectorISA.fma` otherwise emulates.
  var hasFusedMultiplyAdd: Bool {
    #if arch(arm64)
      true
    #else
      self != .portable
    #endif
  }

  var kernels: KernelTable {
    // A Zen 4 follows a thread's one stream by itself, and neither several nor what is asked for: so a reply is 1.06
    // times as fast there, but 0.96 with AVX2; on a Zen 5 asking is 1.05 to 1.09 (docs/performance.md, "A reply").
    switch self {
    case .portable: portableKernelTable()
    #if arch(x86_64)
      case .avx2: avx2KernelTable()
      case .avx512: avx512KernelTable(readsInOrder: swiftlet_cpu_is_zen4() != 0)
    #else
      case .avx2, .avx512: portableKernelTable()
    #endif
    }
  }
}

/// How matrices are multiplied.
public enum MatmulPath: String, CaseIterable, Sendable {
  /// For each matrix whichever of the two is faster here.
  case automatic = "auto"
  /// Our kernels: int8 activations for quantized weights, float32 for the rest.
  case native
  /// Weights dequantized to float32, OpenBLAS's sgemm: slower, and close to exact arithmetic.
  case openblas
}

/// Why something cannot be computed here.
public enum ComputeError: Error, Equatable, Sendable {
  /// The processor does not have an instruction set that was asked for by name.
  case instructionSet(wanted: String, available: [String])
  /// The weights of a tensor hold a NaN or an infinity.
  case notFinite(tensor: String, row: Int)
  /// The system has no room for this many bytes.
  case memory(byteCount: Int)
  /// A matrix's columns do not fit the kernels.
  case shape(tensor: String, columns: Int, multiple: Int)
  /// OpenBLAS was asked for and is not installed.
  case noOpenBLAS
}

extension ComputeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .instructionSet(let wanted, let available):
      "instruction set \"\(wanted)\" is not available here (available: "
        + available.joined(separator: ", ") + ")"
    case .notFinite(let tensor, let row):
      "tensor \(tensor): a NaN or infinite weight or block scale in row \(row)"
    case .memory(let byteCount):
      "no memory: \(byteCount) bytes needed"
    case .shape(let tensor, let columns, let multiple):
      "tensor \(tensor): rows of \(columns) values, allowed: multiples of \(multiple)"
    case .noOpenBLAS:
      "OpenBLAS is not installed (Debian's libopenblas0); without --matmul openblas it is not needed"
    }
  }
}
