import Synchronization
import Testing

@testable import Compute

@Suite struct TeamTests {
  @Test("every item is done once, by any number of threads", arguments: [1, 2, 3, 8])
  func sharing(threads: Int) {
    let team = ComputeTeam(threads: threads)
    let done = (0..<1000).map { _ in Counter() }
    for _ in 0..<50 {
      team.run { worker in
        worker.share(done.count) { done[$0].value.wrappingAdd(1, ordering: .relaxed) }
        worker.shareRanges(of: done.count) { range in
          for item in range { done[item].value.wrappingAdd(1, ordering: .relaxed) }
        }
      }
    }
    #expect(done.allSatisfy { $0.value.load(ordering: .relaxed) == 100 })
  }

  @Test("a step sees all of the step before it")
  func barriers() {
    let team = ComputeTeam(threads: 2)
    let sums = [Counter(), Counter()]
    let seen = Counter()
    for _ in 0..<2000 {
      team.run { worker in
        worker.share(16) { _ in sums[0].value.wrappingAdd(1, ordering: .relaxed) }
        let total = sums[0].value.load(ordering: .relaxed)
        if total % 16 != 0 { seen.value.wrappingAdd(1, ordering: .relaxed) }
        worker.share(1) { _ in }
      }
    }
    #expect(seen.value.load(ordering: .relaxed) == 0)
  }

  @Test("teams come and go, used or not")
  func lifetime() {
    for threads in 1...40 {
      let team = ComputeTeam(threads: threads % 5)
      if threads % 2 == 0 { team.run { $0.share(3) { _ in } } }
    }
  }

  @Test("an instruction set that is not there is refused with those that are")
  func unknownInstructionSet() {
    #expect(throws: ComputeError.self) { try InstructionSet.named("sse9") }
    #expect((try? InstructionSet.named("portable")) == .portable)
    #expect((try? InstructionSet.named(nil)) == .best)
  }

  private final class Counter: Sendable { let value = Atomic<Int>(0) }
}
