import GGUF
import KernelCore

/// One block of memory for all interleaved matrices of a model: a few dozen huge pages rather than a
/// mapping, and thousands of page faults, for each matrix. Huge pages also are read up to a third
/// faster than a file's (docs/architecture.md, "Start and speed").
public final class WeightArena: @unchecked Sendable {
  // @unchecked Sendable: `used` changes while a model is loaded, by one caller.

  private let memory: AlignedMemory
  private var used = 0

  /// Room for all of `tensors`, as `team` interleaves them; it is taken up as they are.
  ///
  /// - Throws: `ComputeError.memory` where the system has no room for them.
  public init(_ tensors: [TensorDescriptor], team: ComputeTeam) throws(ComputeError) {
    let bytes = tensors.reduce(0) { sum, tensor in
      guard let kind = PanelKind(tensor, team: team), !team.usesOpenBLAS(for: kind)
      else { return sum }
      return sum
        + Self.aligned(kind.interleaved.packedBytes(rows: tensor.rows, columns: tensor.columns))
    }
    memory = try AlignedMemory(reserving: bytes, pages: .huge)
  }

  private static func aligned(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

  /// The next `byteCount` bytes, zeroed; nil where the arena was not made for them.
  func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount <= memory.byteCount - used else { return nil }
    defer { used += Self.aligned(byteCount) }
    return memory.base + used
  }
}
