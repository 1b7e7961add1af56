import CIntrinsics
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the threads of a team wait for work and for each other.
///
/// Between steps threads spin, because a step takes microseconds; between runs they spin briefly
/// and then sleep.
final class Rendezvous: @unchecked Sendable {
  // @unchecked Sendable: what is not atomic is written by the caller of `run` before it
  // releases `generation` and read by others after they acquired it.

  private typealias CacheLine = (Int, Int, Int, Int, Int, Int, Int, Int)

  private struct PartItems: ~Copyable {
    let next = Atomic<Int>(0)
    let isOpen = Atomic<Int>(0)
    let rest: (Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0)
  }

  typealias Body = (Int) -> Void

  /// How many threads take part.
  private var threadCount = 1
  /// Of each thread, for work that it does by itself.
  private(set) var ofOne: [Rendezvous] = []

  private let arrived = Atomic<Int>(0)
  /// Of each part of a step, the next item: each in a cache line of its own.
  private let parts: UnsafeMutablePointer<PartItems>
  private let partCount: Int
  // In a cache line of its own: who waits for it must not take the others' line from those who work.
  private let before: CacheLine = (0, 0, 0, 0, 0, 0, 0, 0)
  private let phase = Atomic<Int>(0)
  private let after: CacheLine = (0, 0, 0, 0, 0, 0, 0, 0)
  private let generation = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  private var body: Body?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Turns of a spin loop before a thread gives way.
  private let patience: Int

  /// - Parameters:
  ///   - crowded: whether threads outnumber cores, so that spinning would take the core from the thread that is
  ///     waited for.
  ///   - parts: the most parts that a step's items come in.
  init(crowded: Bool, parts: Int) {
    partCount = parts
    self.parts = .allocate(capacity: parts)
    for part in 0..<parts { (self.parts + part).initialize(to: PartItems()) }
    patience = crowded ? 8 : 1 << 14
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
  }

  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    mutex.deallocate()
    parts.deinitialize(count: partCount)
    parts.deallocate()
  }

  /// Says how many threads take part: once, before the first run.
  func gather(_ threads: Int) {
    threadCount = threads
    ofOne = (0..<threads).map { _ in Rendezvous(crowded: false, parts: 1) }
  }

  // MARK: Runs

  /// Calls `body` once on each thread, on the caller's with index 0, and returns when all are done.
  func run(_ body: Body) {
    withoutActuallyEscaping(body) { body in
      self.body = body
      announce()
      body(0)
      barrier()
      self.body = nil
    }
  }

  /// Takes part in runs as `index` until `stop` is called.
  func serve(as index: Int) {
    var seen = 0
    while true {
      seen = waitForRun(after: seen)
      if stopping.load(ordering: .acquiring) { return }
      body?(index)
      barrier()
    }
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    announce()
  }

  private func announce() {
    // Sequentially consistent with `sleepers`: either a waiter sees the new generation before it
    // sleeps, or it is counted here and woken.
    generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(mutex)
      pthread_cond_broadcast(wake)
      pthread_mutex_unlock(mutex)
    }
  }

  private func waitForRun(after seen: Int) -> Int {
    for _ in 0..<patience {
      let now = generation.load(ordering: .acquiring)
      if now != seen { return now }
      swiftlet_spin_hint()
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    while true {
      let now = generation.load(ordering: .sequentiallyConsistent)
      if now != seen { return now }
      pthread_cond_wait(wake, mutex)
    }
  }

  // MARK: Steps

  /// Returns when every thread has called it. What was written before is visible after.
  func barrier() {
    guard threadCount > 1 else {
      restart()
      return
    }
    let current = phase.load(ordering: .acquiring)
    if arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == threadCount {
      arrived.store(0, ordering: .relaxed)
      restart()
      phase.wrappingAdd(1, ordering: .releasing)
      return
    }
    wait { phase.load(ordering: .acquiring) != current }
  }

  /// Spins until `isDone`, and after a while lets others have the core.
  private func wait(_ isDone: () -> Bool) {
    var turns = 0
    while !isDone() {
      if turns < patience {
        turns += 1
        swiftlet_spin_hint()
      } else {
        sched_yield()
      }
    }
  }

  private func restart() {
    for part in 0..<partCount {
      parts[part].next.store(0, ordering: .relaxed)
      parts[part].isOpen.store(0, ordering: .relaxed)
    }
  }

  /// Says, until the next barrier, that what the items of a part read is there.
  func open(_ part: Int) {
    precondition(part >= 0 && part < partCount, "part \(part) of \(partCount)")
    parts[part].isOpen.store(1, ordering: .releasing)
  }

  /// Returns when `open` has been called for `part`; what was written before is visible after.
  func awaitOpening(of part: Int) {
    precondition(part >= 0 && part < partCount, "part \(part) of \(partCount)")
    wait { parts[part].isOpen.load(ordering: .acquiring) != 0 }
  }

  /// The next item of a part of the current step. Items are handed out once, from 0, until the next barrier.
  func claim(_ part: Int) -> Int {
    precondition(part >= 0 && part < partCount, "part \(part) of \(partCount)")
    return parts[part].next.wrappingAdd(1, ordering: .relaxed).oldValue
  }
}
