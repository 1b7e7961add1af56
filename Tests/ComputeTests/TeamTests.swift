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

  @Test(
    "every row is in one part, parts are whole groups, and each is worth its thread",
    arguments: [RowParts.LeastRows.ofSequences, .ofPrompt])
  func rowParts(least: RowParts.LeastRows) {
    for threads in [1, 2, 3, 8, 64] {
      for start in [0, 1, 8, 13] {
        for count in Array(0...80) + [127, 500, 512, 4096] {
          let rows = start..<start + count
          let parts = RowParts(rows, threads: threads, least: least)
          #expect((0..<parts.count).flatMap { Array(parts[$0]) } == Array(rows))
          #expect(parts.count <= max(1, min(threads, count / (least.rawValue * threads))))
          for part in 1..<max(parts.count, 1) {
            #expect(parts[part].lowerBound % 8 == 0 && parts[part].count >= 2, "\(rows)")
          }
        }
      }
    }
    func parts(_ rows: Int) -> Int { RowParts(0..<rows, threads: 2, least: least).count }
    #expect(parts(512) == 2 && parts(15) == 1)
    #expect(parts(4 * least.rawValue) == 2 && parts(4 * least.rawValue - 1) == 1)
    // The second part would have one row.
    #expect(parts(17) == 1)
  }

  @Test("every row is done once, by any number of threads", arguments: [1, 2, 3, 8])
  func sharingRows(threads: Int) {
    let team = ComputeTeam(threads: threads)
    for rows in [0..<0, 3..<4, 0..<16, 5..<300, 0..<1000] {
      let done = (0..<1000).map { _ in Counter() }
      team.run { worker in
        worker.shareRows(rows) { range in
          for row in range { done[row].value.wrappingAdd(1, ordering: .relaxed) }
        }
      }
      #expect(
        done.indices.allSatisfy {
          done[$0].value.load(ordering: .relaxed) == (rows.contains($0) ? 1 : 0)
        })
    }
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

  @Test(
    "items of a part are done when its thread has come, by whoever is there",
    arguments: [1, 2, 3, 8])
  func sharingAfterOwnWork(threads: Int) {
    let team = ComputeTeam(threads: threads)
    let parts = team.threadCount
    let items = 20
    let done = (0..<parts * items).map { _ in Counter() }
    let prepared = (0..<parts).map { _ in Counter() }
    let early = Counter()
    let rounds = 500
    for round in 1...rounds {
      team.run { worker in
        // Another one is late each time.
        if worker.index == round % parts {
          for _ in 0..<2000 { early.value.wrappingAdd(0, ordering: .relaxed) }
        }
        prepared[worker.index].value.store(round, ordering: .relaxed)
        worker.share(parts: parts, items: { _ in items }, afterOwnWork: true) { part, item in
          if prepared[part].value.load(ordering: .relaxed) != round {
            early.value.wrappingAdd(1, ordering: .relaxed)
          }
          done[part * items + item].value.wrappingAdd(1, ordering: .relaxed)
        }
      }
    }
    #expect(early.value.load(ordering: .relaxed) == 0)
    #expect(done.allSatisfy { $0.value.load(ordering: .relaxed) == rounds })
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
