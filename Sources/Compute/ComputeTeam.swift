import CIntrinsics
import KernelCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Threads that run one function together, step by step, and meet at barriers.
///
/// `run` calls its body once on each thread, and each call goes through the same steps. Inside a
/// step, `Worker.share` hands its items to whichever thread is free and ends with a barrier, so
/// that the next step sees all results. No result depends on which thread made it.
///
/// A team belongs to one model and runs one body at a time; `run` is not to be called by two
/// threads at once.
public final class ComputeTeam: @unchecked Sendable {
  // @unchecked Sendable: all stored properties are constants; the pointers in `kernels` are code.

  /// Threads that compute, the caller's included.
  public let threadCount: Int
  /// The instructions that the kernels use.
  public let instructionSet: InstructionSet
  /// How matrices are multiplied.
  public let matmulPath: MatmulPath
  let kernels: KernelTable
  private let rendezvous: Rendezvous
  private let threads: [pthread_t]

  /// - Parameter threads: how many, the caller's own included; at least 1. Fewer are used where the
  ///   system gives no more.
  public init(
    threads wanted: Int, instructionSet: InstructionSet = .best, matmulPath: MatmulPath = .automatic
  ) {
    let rendezvous = Rendezvous(crowded: wanted > Self.coreCount, parts: max(wanted, 1))
    var threads: [pthread_t] = []
    // A thread reads `threadCount` only in a run, and `run` is first called after this.
    while threads.count < wanted - 1 {
      let seat = Unmanaged.passRetained(Seat(rendezvous: rendezvous, index: threads.count + 1))
      guard let thread = Self.start(seat) else {
        seat.release()
        break
      }
      threads.append(thread)
    }
    rendezvous.gather(threads.count + 1)
    threadCount = threads.count + 1
    self.rendezvous = rendezvous
    self.threads = threads
    self.instructionSet = instructionSet
    self.matmulPath = matmulPath
    kernels = instructionSet.kernels
  }

  deinit {
    rendezvous.stop()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Cores that this process may use: by affinity and the quota of its control groups, rounded down.
  public static let coreCount = ProcessorBudget().threads

  /// Whether matrices of `kind` are multiplied by OpenBLAS rather than by our kernels.
  func usesOpenBLAS(for kind: PanelKind) -> Bool {
    switch matmulPath {
    case .native: false
    case .openblas: OpenBLAS.isAvailable
    // Measured (docs/architecture.md, "OpenBLAS"): our floating-point kernels are ahead of sgemm on
    // dequantized rows wherever they have a fused multiply-add, and far behind without.
    case .automatic:
      !kind.isQuantized && !instructionSet.hasFusedMultiplyAdd && OpenBLAS.isAvailable
    }
  }

  /// Calls `body` on every thread of the team and returns when all calls have.
  public func run(_ body: (Worker) -> Void) {
    rendezvous.run { [rendezvous, kernels, threadCount] index in
      body(
        Worker(
          index: index, count: threadCount, rendezvous: rendezvous, kernels: kernels))
    }
  }

  private final class Seat {
    let rendezvous: Rendezvous
    let index: Int
    /// The processor of the thread that made this one.
    private let start = swiftlet_processor()

    init(rendezvous: Rendezvous, index: Int) {
      self.rendezvous = rendezvous
      self.index = index
    }

    func serve() {
      swiftlet_move_away(start, CInt(truncatingIfNeeded: index))
      rendezvous.serve(as: index)
    }
  }

  private static func start(_ seat: Unmanaged<Seat>) -> pthread_t? {
    #if canImport(Glibc)
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue().serve()
          return nil
        }, seat.toOpaque())
      return status == 0 ? thread : nil
    #else
      var thread: pthread_t?
      let status = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue().serve()
          return nil
        }, seat.toOpaque())
      return status == 0 ? thread : nil
    #endif
  }
}

/// One thread of a team, during a run.
public struct Worker {
  /// 0 to `count` - 1; the caller's own thread is 0.
  public let index: Int
  /// Workers in the team.
  public let count: Int
  let rendezvous: Rendezvous
  let kernels: KernelTable

  /// This thread as a team of its own: what it shares, it does by itself, and it waits for nobody.
  public var alone: Worker {
    Worker(index: index, count: 1, rendezvous: rendezvous.ofOne[index], kernels: kernels)
  }

  /// Shares `items` items among the threads, then waits for all of them.
  ///
  /// Every thread must call it, with the same count.
  public func share(_ items: Int, _ body: (Int) -> Void) {
    share(parts: 1, items: { _ in items }, { _, item in body(item) })
  }

  /// Shares the items of some parts, then waits for all of them. A thread takes the items of its own part first,
  /// and then those that others have left of theirs.
  ///
  /// - Parameters:
  ///   - parts: at most as many as there are threads; thread t's own is t * parts / threads.
  ///   - items: how many a part has, the same on every thread.
  ///   - afterOwnWork: whether threads come one by one, each when it has prepared what its own part reads. There are as many
  ///     parts as threads then.
  ///   - body: is called with a part and one of its items.
  func share(
    parts: Int, items: (Int) -> Int, afterOwnWork: Bool = false, _ body: (Int, Int) -> Void
  ) {
    let first = index * parts / count
    if afterOwnWork {
      precondition(parts == count, "\(parts) parts of \(count) threads")
      rendezvous.open(first)
    }
    for step in 0..<parts {
      let part = (first + step) % parts
      if afterOwnWork { rendezvous.awaitOpening(of: part) }
      let count = items(part)
      var item = rendezvous.claim(part)
      while item < count {
        body(part, item)
        item = rendezvous.claim(part)
      }
    }
    rendezvous.barrier()
  }

  /// As `share`, over consecutive ranges of 0..<`count`: some a thread, so that a thread that the system holds
  /// up leaves its share to the others. Claiming one costs the line that all threads claim from.
  public func shareRanges(of count: Int, _ body: (Range<Int>) -> Void) {
    let ranges = 4 * self.count
    let size = max((count + ranges - 1) / ranges, 1)
    share((count + size - 1) / size) { item in
      body(item * size..<min((item + 1) * size, count))
    }
  }
}
