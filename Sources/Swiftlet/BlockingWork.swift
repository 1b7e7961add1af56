import Dispatch
import Synchronization

/// Says to work that goes on elsewhere that nobody waits for it.
final class CancellationFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}

/// Runs `body`, which blocks, on a thread that Swift's tasks do not need; a cancelled task sets its flag.
func offTasks<R: Sendable>(
  _ body: @escaping @Sendable (CancellationFlag) throws -> R
) async throws -> R {
  let cancelled = CancellationFlag()
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result { try body(cancelled) })
      }
    }
  } onCancel: {
    cancelled.set()
  }
}
