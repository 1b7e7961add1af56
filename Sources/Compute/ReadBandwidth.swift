extension ComputeTeam {
  /// How fast this team's threads together read memory that no cache holds, in bytes a second: the
  /// best of `rounds` passes over `mebibytes` MiB of huge pages. It bounds how fast weights can be read.
  public func readBandwidth(mebibytes count: Int = 256, rounds: Int = 8) -> Double {
    let slice = 1 << 20
    let memory = AlignedMemory(byteCount: count * slice, pages: .huge)
    memory.base.initializeMemory(as: UInt8.self, repeating: 1, count: memory.byteCount)
    let sums = AlignedMemory(byteCount: count * 64)
    var best = 0.0
    for _ in 0..<rounds {
      let start = monotonicSeconds()
      run { worker in
        worker.share(count) { index in
          let words = (memory.base + index * slice).assumingMemoryBound(to: SIMD8<UInt64>.self)
          var (a, b) = (SIMD8<UInt64>.zero, SIMD8<UInt64>.zero)
          for i in stride(from: 0, to: slice / 64, by: 2) {
            a &+= words[i]
            b &+= words[i + 1]
          }
          // Kept, so that the reads are not optimized away.
          sums.base.assumingMemoryBound(to: SIMD8<UInt64>.self)[index] = a &+ b
        }
      }
      best = max(best, Double(memory.byteCount) / (monotonicSeconds() - start))
    }
    return best
  }
}
