import Dispatch
import Synchronization

extension ModelLibrary {
  /// Starts to fetch the model `name`, or joins the fetching that is under way in this process, and
  /// returns at once.
  ///
  /// - Throws: `HubError.unknownModel`, `.invalidName`, `.disabled`: what can be said at once.
  public func download(_ name: String) throws(HubError) -> ModelDownload {
    let source = try source(of: name)
    let key = SharedDownload.Key(cacheFolder: configuration.environment.cacheFolder, source: source)
    return ModelDownload(
      SharedDownload.join(key) { shared in
        // A thread of its own: this blocks for as long as a download takes.
        DispatchQueue(label: "swiftlet.download").async {
          do throws(HubError) {
            let path = try self.fetch(source) { shared.report($0) }
            shared.end(.ready(path: path))
          } catch {
            shared.end(.failed(error))
          }
          SharedDownload.leave(key, shared)
        }
      })
  }
}

/// A model on its way: any number of requests and observers share one transfer.
public final class ModelDownload: Sendable {
  private let shared: SharedDownload
  private let isCancelled = Atomic<Bool>(false)

  fileprivate init(_ shared: SharedDownload) { self.shared = shared }

  /// Where it stands now, then every change, up to `ready` or `failed`. Each access observes anew;
  /// a slow observer misses states in between, never the last one.
  public var states: AsyncStream<DownloadState> { shared.states() }

  /// Where it stands.
  public var state: DownloadState { shared.state }

  /// The path of the file, once it is here. Cancelling the task takes this request back.
  ///
  /// - Throws: `HubError`.
  public func path() async throws(HubError) -> String {
    let last = await withTaskCancellationHandler {
      var last: DownloadState?
      for await state in states { last = state }
      return last
    } onCancel: {
      cancel()
    }
    switch last?.phase {
    case .ready(let path): return path
    case .failed(let error): throw error
    default: throw .cancelled
    }
  }

  /// Takes this request back. The transfer ends when all requests for it are taken back; what came is
  /// kept, and the next one goes on from there.
  public func cancel() {
    if !isCancelled.exchange(true, ordering: .relaxed) { shared.takeBack() }
  }
}

/// What the requests for one file have in common.
private final class SharedDownload: Sendable {
  struct Key: Hashable {
    let cacheFolder: String
    let source: ModelLibrary.Source
  }

  private struct Condition {
    var state = DownloadState(.resolving)
    var requests = 1
    var observers: [Int: AsyncStream<DownloadState>.Continuation] = [:]
    var nextObserver = 0
  }

  private static let underWay = Mutex<[Key: SharedDownload]>([:])
  private let condition = Mutex(Condition())

  static func join(_ key: Key, start: (SharedDownload) -> Void) -> SharedDownload {
    underWay.withLock { all in
      if let shared = all[key], shared.addRequest() { return shared }
      let shared = SharedDownload()
      all[key] = shared
      start(shared)
      return shared
    }
  }

  static func leave(_ key: Key, _ shared: SharedDownload) {
    underWay.withLock { if $0[key] === shared { $0[key] = nil } }
  }

  /// False where all others were taken back, so that it is about to end.
  private func addRequest() -> Bool {
    condition.withLock {
      guard $0.requests > 0, !$0.state.phase.isFinal else { return false }
      $0.requests += 1
      return true
    }
  }

  func takeBack() { condition.withLock { $0.requests -= 1 } }

  var state: DownloadState { condition.withLock { $0.state } }

  /// False where nobody wants the file any more.
  func report(_ state: DownloadState) -> Bool {
    condition.withLock { condition in
      if state != condition.state {
        condition.state = state
        for observer in condition.observers.values { observer.yield(state) }
      }
      return condition.requests > 0
    }
  }

  func end(_ phase: DownloadState.Phase) {
    let (state, observers) = condition.withLock { condition in
      condition.state.phase = phase
      defer { condition.observers = [:] }
      return (condition.state, condition.observers)
    }
    // Not under the lock, which the end of a stream takes.
    for observer in observers.values {
      observer.yield(state)
      observer.finish()
    }
  }

  func states() -> AsyncStream<DownloadState> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      condition.withLock { condition in
        continuation.yield(condition.state)
        guard !condition.state.phase.isFinal else { return continuation.finish() }
        let number = condition.nextObserver
        condition.nextObserver += 1
        condition.observers[number] = continuation
        continuation.onTermination = { [self] _ in
          self.condition.withLock { _ = $0.observers.removeValue(forKey: number) }
        }
      }
    }
  }
}
